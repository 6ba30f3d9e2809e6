//! What the hub keeps of one channel.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use carillon_bus::{Message, Subscription};
use carillon_contract::Channel;
use futures_util::{
    StreamExt,
    stream::{AbortHandle, Stream},
};
use tokio::sync::oneshot;

use super::{
    handle::{ListenerId, Unavailable},
    sequence::Sequence,
};

/// A channel that somebody listens to.
pub(super) struct ChannelState {
    /// Tells this life of the channel from an earlier one, of which answers may still arrive.
    pub(super) life: u64,
    /// How often each listener listens.
    pub(super) listeners: Box<[u32]>,
    pub(super) subscription: Subscribing,
    pub(super) sequence: Sequence,
    /// The log is being asked, or soon will be.
    pub(super) fetching: bool,
}

/// What is published to a channel.
pub(super) struct Heard {
    pub(super) channel: Channel,
    pub(super) subscription: Subscription,
}

impl Stream for Heard {
    type Item = (Channel, Message);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let heard = self.subscription.poll_next_unpin(context);
        heard.map(|message| Some((self.channel.clone(), message?)))
    }
}

/// Where the channel's subscription is.
pub(super) enum Subscribing {
    /// Not confirmed yet; these wait for it.
    Waited(Vec<(ListenerId, oneshot::Sender<Result<(), Unavailable>>)>),
    /// Confirmed. Aborting ends it.
    Confirmed(AbortHandle),
}

impl ChannelState {
    pub(super) fn new(life: u64, listeners: usize) -> Self {
        Self {
            life,
            listeners: vec![0; listeners].into(),
            subscription: Subscribing::Waited(Vec::new()),
            sequence: Sequence::default(),
            fetching: false,
        }
    }

    /// One of this listener's listens no longer.
    pub(super) fn unlisten(&mut self, listener: ListenerId) {
        self.listeners[listener] = self.listeners[listener].saturating_sub(1);
    }

    pub(super) fn is_unheard(&self) -> bool {
        self.listeners.iter().all(|count| *count == 0)
    }

    /// Ends the subscription.
    pub(super) fn end(self) {
        if let Subscribing::Confirmed(abort) = self.subscription {
            abort.abort();
        }
    }
}
