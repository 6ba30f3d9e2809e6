//! Subscriptions.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;

use crate::{Message, in_process, message::Incoming, nats};

/// A stream of what is published on the subjects that match a pattern. Dropping it unsubscribes.
///
/// Its queue is bounded ([`Limits::queue`](crate::Limits::queue)).
#[derive(Debug)]
#[must_use = "dropping a subscription ends it"]
pub struct Subscription(Source);

#[derive(Debug)]
enum Source {
    InProcess(in_process::Listener),
    Nats(nats::Listener),
}

impl Subscription {
    pub(crate) fn in_process(listener: in_process::Listener) -> Self {
        Self(Source::InProcess(listener))
    }

    pub(crate) fn nats(listener: nats::Listener) -> Self {
        Self(Source::Nats(listener))
    }

    pub(crate) fn poll_incoming(&mut self, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        match &mut self.0 {
            Source::InProcess(listener) => listener.poll(context),
            Source::Nats(listener) => listener.poll(context),
        }
    }

    /// The next message with its reply address.
    pub(crate) async fn incoming(&mut self) -> Option<Incoming> {
        std::future::poll_fn(|context| self.poll_incoming(context)).await
    }

    /// Asks for no more; the stream ends after what is on its way.
    pub(crate) async fn drain(&mut self) {
        match &mut self.0 {
            Source::InProcess(listener) => listener.unsubscribe(),
            Source::Nats(listener) => listener.drain().await,
        }
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_incoming(context).map(|incoming| incoming.map(|incoming| incoming.message))
    }
}
