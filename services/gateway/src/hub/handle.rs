//! How the rest of the gateway talks to the hub.

use std::sync::Arc;

use carillon_bus::Subscription;
use carillon_contract::{
    Channel, ServiceName,
    messages::{ChannelHead, Event, HistoryReply},
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

/// A worker's number, or that of the follower of `access`.
pub(crate) type ListenerId = usize;

/// What the hub tells a listener.
#[derive(Debug, Clone)]
pub(crate) enum Delivery {
    /// The next event of a channel, durable ones in order and without gaps.
    Event(Channel, Arc<Event>),
    /// The channel's log is another one or has lost events: what was missed can't be had.
    Reset(Channel),
}

/// The bus or the hub can't be reached now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bus can't be reached")]
pub(crate) struct Unavailable;

pub(super) enum Command {
    Listen { channel: Channel, listener: ListenerId, reply: oneshot::Sender<Result<(), Unavailable>> },
    Unlisten { channel: Channel, listener: ListenerId },
    Subscribed { channel: Channel, life: u64, outcome: Result<Subscription, Unavailable> },
    Heads { epoch: String, heads: Vec<ChannelHead> },
    Join { epoch: String, heads: Vec<ChannelHead>, reply: oneshot::Sender<Vec<ChannelHead>> },
    Compared(ServiceName),
    Fetch { channel: Channel, life: u64 },
    Fetched { channel: Channel, life: u64, outcome: Result<HistoryReply, Unavailable> },
}

/// A handle to the hub.
#[derive(Clone)]
pub(crate) struct Hub {
    pub(super) commands: mpsc::Sender<Command>,
}

impl Hub {
    /// Has a channel's events delivered to a listener, counted: as often as this succeeds, it has to
    /// unlisten. Returns once the bus has confirmed that what is published from now on arrives. Whoever
    /// doesn't wait for that doesn't listen.
    pub(crate) async fn listen(&self, listener: ListenerId, channel: &Channel) -> Result<(), Unavailable> {
        let (reply, answer) = oneshot::channel();
        let mut waiting = Waiting { hub: self, channel, listener, answer };
        self.send(Command::Listen { channel: channel.clone(), listener, reply }).await?;
        (&mut waiting.answer).await.map_err(|_| Unavailable)?
    }

    /// Ends what one successful [`Hub::listen`] began.
    pub(crate) async fn unlisten(&self, listener: ListenerId, channel: &Channel) {
        // A hub that is gone delivers nothing anyway.
        let _ = self.send(Command::Unlisten { channel: channel.clone(), listener }).await;
    }

    /// An owner told how far channels are. A channel heard of for the first time starts there;
    /// one that turns out to be behind is caught up.
    pub(crate) async fn heads(&self, epoch: &str, heads: Vec<ChannelHead>) {
        let _ = self.send(Command::Heads { epoch: epoch.to_owned(), heads }).await;
    }

    /// [`Hub::heads`] for somebody who listens, and was told these by an owner. The answer is where the
    /// stream of each channel begins for them, which is never before their own head: when two
    /// come to a channel at once, it begins where the first to get here was told.
    pub(crate) async fn join(
        &self,
        epoch: &str,
        heads: Vec<ChannelHead>,
    ) -> Result<Vec<ChannelHead>, Unavailable> {
        let (reply, answer) = oneshot::channel();
        self.send(Command::Join { epoch: epoch.to_owned(), heads, reply }).await?;
        answer.await.map_err(|_| Unavailable)
    }

    /// Waits until the hub has ended.
    pub(crate) async fn ended(&self) {
        self.commands.closed().await;
    }

    async fn send(&self, command: Command) -> Result<(), Unavailable> {
        self.commands.send(command).await.map_err(|_| Unavailable)
    }
}

/// Somebody who waits until a channel is listened to, and may cease to.
struct Waiting<'a> {
    hub: &'a Hub,
    channel: &'a Channel,
    listener: ListenerId,
    answer: oneshot::Receiver<Result<(), Unavailable>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // From now on the hub sees that nobody waits. It may have answered before.
        self.answer.close();
        if let (Ok(Ok(())), Ok(runtime)) = (self.answer.try_recv(), Handle::try_current()) {
            let (hub, channel, listener) = (self.hub.clone(), self.channel.clone(), self.listener);
            runtime.spawn(async move { hub.unlisten(listener, &channel).await });
        }
    }
}
