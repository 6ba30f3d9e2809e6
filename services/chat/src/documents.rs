//! Documents that several people edit (Yjs), by the y-websocket protocol in binary frames.
//!
//! A document is the updates that are stored of it, and nothing else: no replica keeps one. An update
//! is stored before it is passed on; a client that comes tells what it has, and gets what it lacks.
//! Nothing that a client sends is applied to a document here ([`update`]), but for tidying up.

mod answer;
mod args;
mod awareness;
mod compaction;
mod guard;
mod message;
mod metrics;
mod stored;
mod update;
mod writing;

use bytes::Bytes;
use carillon_contract::{
    Channel,
    messages::{ChannelHead, Close, Event, FrameReply, OpenReply, Variant},
};
use carillon_instruments::Registry;
use carillon_service::{Failure, Publisher};
use carillon_store::{Database, GroupCommit, Log, StoreError, now};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use yrs::StateVector;

use crate::{reply, session::Arrival, visitor::Visitor};

pub use args::DocumentsArgs;

use answer::Part;
use awareness::Echoes;
use compaction::Compaction;
use message::{Closing, Said};
use metrics::Metrics;
use update::Extent;
use writing::{Edit, Outcome, Writing};

/// A newcomer asks for everybody's awareness while at most so many are there. Where more are, it
/// learns of each within the quarter of a minute in which each renews its own.
const ASKED: i64 = 20;

/// The most clients of whose state a newcomer is told: it sends what they did again, then.
const MAX_STATES: usize = 50_000;

/// How many documents are read at a time, so that their number does not decide how much memory it takes.
const READERS: usize = 4;

/// See the module.
pub(crate) struct Documents {
    database: Database,
    log: Log,
    publisher: Publisher,
    writing: GroupCommit<Writing>,
    compaction: Compaction,
    echoes: Echoes,
    readers: Semaphore,
    settings: DocumentsArgs,
    metrics: Metrics,
}

impl Documents {
    pub(crate) fn new(
        database: &Database,
        log: &Log,
        publisher: &Publisher,
        settings: &DocumentsArgs,
        registry: &Registry,
    ) -> carillon_instruments::Result<Self> {
        let batch = Writing {
            log: log.clone(),
            document_bytes: settings.chat_document_bytes.into(),
            loose_updates: settings.chat_document_loose_updates.into(),
            loose_bytes: settings.chat_document_loose_bytes.into(),
        };
        Ok(Self {
            database: database.clone(),
            log: log.clone(),
            publisher: publisher.clone(),
            writing: GroupCommit::new(database.clone(), batch),
            compaction: Compaction::new(database.clone()),
            echoes: Echoes::default(),
            readers: Semaphore::new(READERS),
            settings: settings.clone(),
            metrics: Metrics::new(registry)?,
        })
    }

    /// Compacts documents in the background, until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        self.compaction.run(shutdown).await;
    }

    /// A newcomer is told our state, so that it sends what we lack; it asks for what it lacks itself.
    pub(crate) async fn greet(
        &self,
        mut arrival: Arrival<'_>,
        heads: Vec<ChannelHead>,
        requires: &str,
    ) -> Result<OpenReply, Failure> {
        let extent = stored::extent(&mut arrival.snapshot, &arrival.visitor.name).await?;
        let there = carillon_presence::size(&mut arrival.snapshot, arrival.channel.as_str()).await?;
        drop(arrival.snapshot);
        if there <= ASKED {
            self.ask_for_awareness(arrival.visitor, arrival.channel).await;
        }
        let state: StateVector =
            extent.state_vector().iter().take(MAX_STATES).map(|(client, clock)| (*client, *clock)).collect();
        Ok(reply::accept_binary(self.log.epoch(), heads, vec![message::state(state)], requires))
    }

    /// Handles what a client says; or, `after` a part of an answer, gives the next.
    pub(crate) async fn frame(
        &self,
        visitor: &Visitor,
        number: u64,
        payload: Bytes,
        after: &[u8],
    ) -> Result<FrameReply, Failure> {
        let mut reply = FrameReply::default();
        let said = match message::read(&payload) {
            Ok(said) => said,
            Err(closing) => return Ok(self.close(reply, closing)),
        };
        let after = <[u8; 8]>::try_from(after).ok().map(i64::from_be_bytes);
        for (index, said) in said.into_iter().enumerate() {
            let is_state = matches!(said, Said::State(_));
            if after.is_some() && !is_state {
                continue;
            }
            let cause = format!("update:{}:{number}:{index}", visitor.connection);
            match self.hear(visitor, cause, said, after.unwrap_or_default()).await? {
                Ok(part) => {
                    reply.frames.extend(part.frames);
                    reply.more = part
                        .more_after
                        .map(|number| number.to_be_bytes().to_vec())
                        .unwrap_or_default()
                        .into();
                }
                Err(closing) => return Ok(self.close(reply, closing)),
            }
            if is_state {
                // Once in a frame is enough.
                break;
            }
        }
        Ok(reply)
    }

    async fn hear(
        &self,
        visitor: &Visitor,
        cause: String,
        said: Said,
        after: i64,
    ) -> Result<Result<Part, Closing>, Failure> {
        match said {
            Said::State(state) => return Ok(Ok(self.lacking(&visitor.name, state, after).await?)),
            Said::Update { content, is_answer } => {
                return Ok(self.edit(visitor, cause, content, is_answer).await?.map(|()| Part::default()));
            }
            Said::Awareness { update, bytes } => {
                let limit = self.settings.chat_document_awareness_bytes;
                if bytes > limit as usize {
                    return Ok(Err(Closing::too_large("an awareness message", limit)));
                }
                if let Some(update) = self.echoes.without_echoes(&visitor.name, update) {
                    // To its sender too, who takes silence for a dead line.
                    self.pass_on(&visitor.channel()?, message::awareness(update), "").await;
                }
            }
            Said::AwarenessQuery => self.ask_for_awareness(visitor, &visitor.channel()?).await,
        }
        Ok(Ok(Part::default()))
    }

    /// What a client in this state lacks of the updates after a number: the first part.
    async fn lacking(&self, document: &str, state: StateVector, after: i64) -> Result<Part, Failure> {
        let _permit = self.readers.acquire().await.map_err(StoreError::other)?;
        let mut connection = self.database.reader().acquire().await.map_err(StoreError::from)?;
        let updates = stored::updates(&mut connection, document, after).await?;
        drop(connection);
        blocking(move || answer::part(&updates, &state)).await
    }

    /// Stores an update and passes it on, if it says anything.
    async fn edit(
        &self,
        visitor: &Visitor,
        cause: String,
        content: Bytes,
        is_answer: bool,
    ) -> Result<Result<(), Closing>, Failure> {
        let limit = self.settings.chat_document_update_bytes;
        if content.len() > limit as usize {
            return Ok(Err(Closing::too_large("an update", limit)));
        }
        let read = content.clone();
        let extent = match blocking(move || Extent::of(&read)).await? {
            Ok(extent) => extent,
            Err(why) => return Ok(Err(Closing::unreadable("the update", &why))),
        };
        if extent.is_empty() || is_answer && self.has(&visitor.name, &extent).await? {
            return Ok(Ok(()));
        }
        let (document, connection) = (visitor.name.clone(), visitor.connection.clone());
        self.store(Edit { document, channel: visitor.channel()?, cause, connection, content, extent }).await
    }

    /// Whether a document contains all that already. What it has once it has for ever.
    async fn has(&self, document: &str, extent: &Extent) -> Result<bool, Failure> {
        let mut connection = self.database.reader().acquire().await.map_err(StoreError::from)?;
        Ok(extent.is_in(&stored::extent(&mut connection, document).await?))
    }

    async fn store(&self, edit: Edit) -> Result<Result<(), Closing>, Failure> {
        let mut outcome = self.writing.submit(edit.clone()).await?;
        if matches!(outcome, Outcome::TooLarge) {
            // It may be smaller than it looks.
            self.compaction.compact(&edit.document).await?;
            outcome = self.writing.submit(edit.clone()).await?;
        }
        match outcome {
            Outcome::TooLarge => {
                let limit = self.settings.chat_document_bytes;
                Ok(Err(Closing::too_large("the document", limit)))
            }
            Outcome::Stored { outgoing, is_loose } => {
                outgoing.publish(&self.publisher).await;
                self.metrics.updates.inc();
                self.metrics.bytes.inc_by(edit.content.len() as u64);
                if is_loose {
                    self.compaction.want(&edit.document);
                }
                Ok(Ok(()))
            }
        }
    }

    /// Has everyone else there tell its awareness.
    async fn ask_for_awareness(&self, visitor: &Visitor, channel: &Channel) {
        self.echoes.forget(&visitor.name);
        self.pass_on(channel, message::awareness_query(), &visitor.connection).await;
    }

    /// Passes on what is not stored, to everyone there but one connection.
    async fn pass_on(&self, channel: &Channel, message: Bytes, except: &str) {
        let event = Event {
            channel: channel.to_string(),
            epoch: self.log.epoch().to_owned(),
            offset: 0,
            at: now(),
            variants: vec![Variant::binary(message)],
            except_connection: except.to_owned(),
            dismissal: None,
        };
        self.publisher.publish(&[event]).await;
    }

    fn close(&self, mut reply: FrameReply, closing: Closing) -> FrameReply {
        self.metrics.refused.with_label_values(&[&closing.code.to_string()]).inc();
        reply.close = Some(Close { code: closing.code.into(), reason: closing.reason });
        reply
    }
}

/// Does what may take long where it holds nobody up.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Internal(error.to_string()))
}
