//! What the hub keeps of one channel.

use futures_util::stream::AbortHandle;
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
    pub(super) listeners: Vec<u32>,
    pub(super) subscription: Subscribing,
    pub(super) sequence: Sequence,
    /// The log is being asked, or soon will be.
    pub(super) fetching: bool,
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
            listeners: vec![0; listeners],
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
