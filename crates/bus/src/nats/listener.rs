//! One subscription.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use async_nats::Subscriber;
use futures_util::StreamExt;

use super::headers;
use crate::{
    Message,
    message::{Incoming, ReplyTo},
};

/// A subscription at the client.
#[derive(Debug)]
pub(crate) struct Listener {
    subscriber: Subscriber,
    /// The pattern: nearly always it is a subject, which its messages then share.
    pattern: Arc<str>,
}

impl Listener {
    pub(super) fn new(subscriber: Subscriber, pattern: &str) -> Self {
        Self { subscriber, pattern: pattern.into() }
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let message = self.subscriber.poll_next_unpin(context);
        message.map(|message| message.map(|message| self.incoming(message)))
    }

    /// Asks the server for no more. What it sent before is still handed over, except what was on
    /// its way in that very moment: who asked for it asks again.
    pub(crate) async fn drain(&mut self) {
        // An error means that the client is gone, and so the stream ends as well.
        let _ = self.subscriber.drain().await;
    }

    fn incoming(&self, message: async_nats::Message) -> Incoming {
        let subject = message.subject.as_str();
        let subject = if *subject == *self.pattern { Arc::clone(&self.pattern) } else { subject.into() };
        let trace = headers::trace(message.headers.as_ref());
        Incoming {
            message: Message { subject, payload: message.payload, trace },
            reply_to: message.reply.map(ReplyTo::Nats),
        }
    }
}
