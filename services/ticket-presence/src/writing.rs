//! The one write path: a change is a transaction with the event that tells of it and the notifications
//! that it owes. Concurrent changes share transactions; those of one project happen one after the other,
//! in the order of their events, since each holds the project's row.

mod answering;
mod board;
mod ledger;
mod order;

use std::sync::Arc;

use carillon_contract::{Person, messages::HttpReply};
use carillon_service::{Outgoing, Publisher, http::Problem, notices};
use carillon_store::{Batch, Database, GroupCommit, Log, Outbox, StoreError, Transaction};
use serde_json::{Value, json};

pub(crate) use board::Board;
pub(crate) use ledger::{Ledger, Sequence};
pub(crate) use order::{Change, Order};

use crate::metrics::Metrics;

/// What the caller of a change is told: a reply, or why it was refused. What is refused has changed nothing.
pub(crate) type Answer = Result<HttpReply, Problem>;

/// Where changes are carried out.
#[derive(Clone)]
pub(crate) struct Writing {
    commits: GroupCommit<Orders>,
    publisher: Publisher,
    outbox: Outbox,
    metrics: Metrics,
}

/// Carries out orders.
struct Orders {
    database: Database,
    log: Log,
    outbox: Outbox,
}

/// What an order comes to once it is committed.
struct Done {
    answer: Answer,
    /// It has changed something.
    is_change: bool,
    outgoing: Arc<Outgoing>,
    owes: bool,
}

impl Writing {
    pub(crate) fn new(
        database: &Database,
        log: &Log,
        publisher: &Publisher,
        outbox: &Outbox,
        metrics: &Metrics,
    ) -> Self {
        let orders = Orders { database: database.clone(), log: log.clone(), outbox: outbox.clone() };
        Self {
            commits: GroupCommit::new(database.clone(), orders),
            publisher: publisher.clone(),
            outbox: outbox.clone(),
            metrics: metrics.clone(),
        }
    }

    /// Carries out an order; when this returns it is committed and published.
    ///
    /// # Errors
    /// Why it was refused, or that the database is away.
    pub(crate) async fn submit(&self, order: Order) -> Answer {
        let _timer = self.metrics.seconds.start_timer();
        let done = self.commits.submit(order).await?;
        done.outgoing.publish(&self.publisher).await;
        if done.owes {
            self.outbox.wake();
        }
        if done.is_change {
            self.metrics.changes.inc();
        }
        done.answer
    }
}

impl Batch for Orders {
    type Item = Order;
    type Output = Done;

    async fn apply(&self, tx: &mut Transaction, items: &[&Order]) -> Result<Vec<Done>, StoreError> {
        let mut ledger = Ledger::open(&self.database, &self.log, tx, items).await?;
        let mut answers = Vec::with_capacity(items.len());
        for (index, order) in items.iter().enumerate() {
            let before = ledger.events();
            let answer = answering::answer(&mut ledger, order).await?;
            ledger.follow(before, index);
            answers.push((answer, ledger.events() > before));
        }
        let (events, owed) = ledger.close().await?;
        let debts = notices::debts(owed);
        self.outbox.owe_all(tx, &debts).await?;
        // The log's channels are locked last.
        let appended = match events.as_slice() {
            [] => Vec::new(),
            events => self.log.append(tx, events).await?,
        };
        let events = appended.into_iter().filter(|appended| !appended.duplicate);
        let outgoing = Arc::new(Outgoing::of(events));
        let owes = !debts.is_empty();
        let done = |(answer, is_change)| Done { answer, is_change, outgoing: outgoing.clone(), owes };
        Ok(answers.into_iter().map(done).collect())
    }
}

/// The frame of a change of a ticket (S3-02).
pub(crate) fn ticket_update(action: &str, ticket: &Value, changes: &Value, actor: &Person) -> Value {
    json!({
        "type": "ticket_update",
        "action": action,
        "data": ticket,
        "changes": changes,
        "actor": actor,
    })
}
