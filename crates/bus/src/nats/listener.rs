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
    /// The subject of the last message, if there was one: nearly always it is that of the next one too.
    subject: Option<Arc<str>>,
}

impl Listener {
    pub(super) fn new(subscriber: Subscriber) -> Self {
        Self { subscriber, subject: None }
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

    fn incoming(&mut self, message: async_nats::Message) -> Incoming {
        let subject = self.shared(message.subject.as_str());
        let trace = headers::trace(message.headers.as_ref());
        Incoming {
            message: Message { subject, payload: message.payload, trace },
            reply_to: message.reply.map(ReplyTo::Nats),
        }
    }

    fn shared(&mut self, subject: &str) -> Arc<str> {
        match &self.subject {
            Some(known) if **known == *subject => Arc::clone(known),
            _ => Arc::clone(self.subject.insert(subject.into())),
        }
    }
}
