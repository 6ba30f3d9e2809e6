//! What subscriptions yield.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::{Refusal, TraceContext};

/// A message that was published on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The subject's text. Cloning it copies nothing.
    pub subject: Arc<str>,
    /// What was published.
    pub payload: Bytes,
    /// The trace in which it was published, if any.
    pub trace: Option<TraceContext>,
}

/// A message and, if it is a request, where its reply goes.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) message: Message,
    pub(crate) reply_to: Option<ReplyTo>,
}

/// Where a reply goes.
#[derive(Debug, Clone)]
pub(crate) enum ReplyTo {
    InProcess(ReplySlot),
    Nats(crate::nats::ReplyAddress),
}

/// What answers a request.
pub(crate) type Reply = Result<Bytes, Refusal>;

/// The place for one reply in the same process. The first reply counts.
#[derive(Debug, Clone)]
pub(crate) struct ReplySlot(Arc<Mutex<Option<oneshot::Sender<Reply>>>>);

impl ReplySlot {
    pub(crate) fn new() -> (Self, oneshot::Receiver<Reply>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Arc::new(Mutex::new(Some(sender)))), receiver)
    }

    pub(crate) fn fill(&self, reply: Reply) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            // Whoever asked may be gone.
            let _ = sender.send(reply);
        }
    }
}
