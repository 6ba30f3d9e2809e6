//! Where replies arrive: one subscription for all requests of a process.
//!
//! The client has something alike of its own, but never forgets a request that stayed without
//! a reply.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use async_nats::{Message, Subject, Subscriber};
use futures_util::StreamExt;
use tokio::sync::oneshot;

/// The requests that wait for a reply.
#[derive(Debug)]
pub(super) struct Inbox {
    prefix: String,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Message>>>,
}

/// A reply that is expected. Dropping it ends the wait.
#[derive(Debug)]
pub(super) struct Expected {
    inbox: Arc<Inbox>,
    number: u64,
    receiver: oneshot::Receiver<Message>,
}

/// The connection was lost, and any reply with it.
#[derive(Debug)]
pub(super) struct Lost;

impl Inbox {
    /// An inbox of this process alone, below `prefix`.
    pub(super) fn new(prefix: &str) -> Arc<Self> {
        let unique: u128 = rand::random();
        let prefix = format!("{prefix}.{unique:032x}.");
        Arc::new(Self { prefix, next: AtomicU64::new(0), waiting: Mutex::default() })
    }

    /// What to subscribe to.
    pub(super) fn pattern(&self) -> Subject {
        format!("{}*", self.prefix).into()
    }

    pub(super) fn expect(self: &Arc<Self>) -> Expected {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.waiting().insert(number, sender);
        Expected { inbox: Arc::clone(self), number, receiver }
    }

    /// The connection is lost: nobody needs to wait for the deadline.
    pub(super) fn lose_all(&self) {
        drop(std::mem::take(&mut *self.waiting()));
    }

    /// Hands replies to who waits for them.
    pub(super) async fn run(self: Arc<Self>, mut replies: Subscriber) {
        while let Some(message) = replies.next().await {
            let number = message.subject.strip_prefix(self.prefix.as_str());
            let Some(number) = number.and_then(|number| number.parse().ok()) else { continue };
            let sender = self.waiting().remove(&number);
            if let Some(sender) = sender {
                // Whoever asked may be gone by now.
                let _ = sender.send(message);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Message>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Expected {
    /// Where to have the reply sent.
    pub(super) fn address(&self) -> Subject {
        format!("{}{}", self.inbox.prefix, self.number).into()
    }

    pub(super) async fn reply(mut self) -> Result<Message, Lost> {
        (&mut self.receiver).await.map_err(|_| Lost)
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        self.inbox.waiting().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_left_of_who_stopped_waiting() {
        let inbox = Inbox::new("_INBOX_test");
        let expected = inbox.expect();
        assert_eq!(inbox.waiting().len(), 1);
        drop(expected.reply());
        assert_eq!(inbox.waiting().len(), 0);
        let expected = inbox.expect();
        inbox.lose_all();
        assert!(expected.reply().await.is_err());
    }
}
