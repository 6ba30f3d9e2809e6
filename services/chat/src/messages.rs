//! The write path of messages, which chat rooms and conversations share, and reading them again.
//!
//! Concurrent messages share a transaction ([`sending`]): their rows, their events and the
//! notifications owed for them are there together or not at all. A message is acknowledged and
//! published once it is committed.

mod attached;
mod author;
mod draft;
mod known;
mod message;
mod metrics;
mod notices;
mod page;
mod participation;
mod quote;
mod reaction;
mod sending;
mod write;

use std::time::Instant;

use carillon_instruments::Registry;
use carillon_service::{Failure, Publisher};
use carillon_store::{Database, GroupCommit, Log, Outbox};

use crate::{attachments::Attachments, reply::Refusal};

pub(crate) use author::Author;
pub(crate) use draft::{Draft, cause};
pub(crate) use message::{COLUMNS, Message};
use metrics::Metrics;
pub(crate) use page::{Page, fitting, page, quote_all};
pub(crate) use participation::lock;
pub(crate) use quote::Quote;
pub(crate) use reaction::{Reaction, react_all};
use sending::{Outcome, Sending};
pub(crate) use write::fold;

/// A message that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) id: i64,
    /// Of the event that tells of it.
    pub(crate) offset: u64,
}

/// The write path. Clones share it.
#[derive(Clone)]
pub(crate) struct Messages {
    sending: GroupCommit<Sending>,
    publisher: Publisher,
    outbox: Outbox,
    attachments: Attachments,
    metrics: Metrics,
}

impl Messages {
    pub(crate) fn new(
        database: &Database,
        log: &Log,
        publisher: &Publisher,
        outbox: &Outbox,
        attachments: &Attachments,
        registry: &Registry,
    ) -> carillon_instruments::Result<Self> {
        let batch = Sending { log: log.clone(), outbox: outbox.clone(), for_update: database.for_update() };
        Ok(Self {
            sending: GroupCommit::new(database.clone(), batch),
            publisher: publisher.clone(),
            outbox: outbox.clone(),
            attachments: attachments.clone(),
            metrics: Metrics::new(registry)?,
        })
    }

    /// Stores a message, publishes it, and returns. The same cause again is the same message.
    ///
    /// # Errors
    /// The database's, or the store's of attachments. A message that is refused is no error.
    pub(crate) async fn send(&self, draft: Draft) -> Result<Result<Sent, Refusal>, Failure> {
        let started = Instant::now();
        if let Err(refusal) = self.attachments.verify(&draft.attachments, draft.author.user()).await? {
            return Ok(Err(refusal));
        }
        match self.sending.submit(draft).await? {
            Outcome::Refused(refusal) => Ok(Err(refusal)),
            Outcome::Known(sent) => {
                self.metrics.repeated.inc();
                Ok(Ok(sent))
            }
            Outcome::Stored { sent, outgoing, owes } => {
                outgoing.publish(&self.publisher).await;
                if owes {
                    self.outbox.wake();
                }
                self.metrics.stored.inc();
                self.metrics.seconds.observe(started.elapsed().as_secs_f64());
                Ok(Ok(sent))
            }
        }
    }
}
