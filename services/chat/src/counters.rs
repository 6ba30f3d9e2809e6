//! Counters (S2-06, S2-07): shared numbers that everyone may change, each change exactly once.
//!
//! Concurrent updates share a transaction ([`applying`]), which locks each counter's row, finds out
//! which updates were made before, and folds the others in order ([`fold`]).

mod announcement;
mod applying;
mod fold;
mod frame;
mod metrics;
mod routes;
mod rows;
mod update;

use carillon_contract::messages::{FrameReply, HttpReply, HttpRequest};
use carillon_instruments::Registry;
use carillon_service::{Failure, Publisher, http::Problem};
use carillon_store::{Database, GroupCommit, Log, StoreError, Transaction};
use serde_json::{Value, json};

use crate::{session::Arrival, visitor::Visitor};

pub(crate) use announcement::announcements;
use applying::{Applying, Outcome};
use metrics::Metrics;
use update::Update;

/// Every counter.
pub(crate) struct Counters {
    database: Database,
    applying: GroupCommit<Applying>,
    publisher: Publisher,
    metrics: Metrics,
}

impl Counters {
    pub(crate) fn new(
        database: &Database,
        log: &Log,
        publisher: &Publisher,
        registry: &Registry,
    ) -> carillon_instruments::Result<Self> {
        Ok(Self {
            database: database.clone(),
            applying: GroupCommit::new(database.clone(), Applying { log: log.clone() }),
            publisher: publisher.clone(),
            metrics: Metrics::new(registry)?,
        })
    }

    /// The value, and how many users there are, the newcomer among them.
    pub(crate) async fn greet(&self, mut arrival: Arrival<'_>) -> Result<Vec<Value>, Failure> {
        let value = rows::value(&mut arrival.snapshot, &arrival.visitor.name).await?;
        let count = carillon_presence::size(&mut arrival.snapshot, arrival.channel.as_str()).await?;
        Ok(vec![
            json!({"type": "counter_update", "counter": value, "message": "Connected to counter"}),
            announcement::user_count(count),
        ])
    }

    /// Handles what a client says.
    pub(crate) async fn frame(
        &self,
        visitor: &Visitor,
        number: u64,
        payload: &[u8],
    ) -> Result<FrameReply, Failure> {
        frame::handle(self, visitor, number, payload).await
    }

    pub(crate) async fn http(&self, request: &HttpRequest) -> Result<HttpReply, Problem> {
        match request.route.as_str() {
            "counter.show" => routes::show(&self.database, request).await,
            "counter.update" => routes::update(self, request).await,
            _ => Err(Problem::not_found("no such route")),
        }
    }

    /// Applies an update, and returns once it is committed and published.
    async fn apply(&self, update: Update) -> Result<Outcome, StoreError> {
        let outcome = self.applying.submit(update).await?;
        match &outcome {
            Outcome::Applied { outgoing, .. } => {
                outgoing.publish(&self.publisher).await;
                self.metrics.applied.inc();
            }
            Outcome::Repeated { .. } => self.metrics.repeated.inc(),
            Outcome::CauseTaken | Outcome::OutOfRange => self.metrics.refused.inc(),
        }
        Ok(outcome)
    }
}

/// Forgets some updates that nobody repeats any more. Tells how many.
pub(crate) async fn forget(tx: &mut Transaction, at_a_time: i64) -> Result<u64, StoreError> {
    rows::forget(tx, at_a_time).await
}
