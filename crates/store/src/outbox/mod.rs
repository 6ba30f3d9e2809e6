//! What this service owes to others: written with the change that causes it, delivered until acknowledged.

mod claim;
mod deliver;

use std::{slice, sync::Arc, time::Duration};

use bytes::Bytes;
use carillon_contract::ServiceName;
use carillon_trace::TraceContext;
use sqlx::{AssertSqlSafe, Row as _};
use tokio::sync::watch;

use crate::{
    Database, StoreError, Transaction, now,
    values::{self, MAX_ROWS},
};

/// A request that is owed to another service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debt {
    /// Who is to get it.
    pub to: ServiceName,
    /// The method of the request.
    pub method: String,
    /// What it follows from: the receiver does nothing when it has seen it before.
    pub cause: String,
    /// The encoded request.
    pub payload: Bytes,
}

/// How much is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OutboxDepth {
    /// How many requests.
    pub count: u64,
    /// For how long the oldest.
    pub oldest: Option<Duration>,
}

/// What one service owes to others. Clones share the wake-up.
#[derive(Debug, Clone)]
pub struct Outbox {
    database: Database,
    wake: Arc<watch::Sender<()>>,
}

impl Outbox {
    /// The outbox of a database.
    pub fn new(database: Database) -> Self {
        Self { database, wake: Arc::new(watch::Sender::new(())) }
    }

    /// Owes a request from the moment that the transaction commits; then call [`wake`](Self::wake).
    /// The same cause again is the same debt.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn owe(&self, tx: &mut Transaction, debt: &Debt) -> Result<(), StoreError> {
        self.owe_all(tx, slice::from_ref(debt)).await
    }

    /// [`owe`](Self::owe) for many, in few statements.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn owe_all(&self, tx: &mut Transaction, debts: &[Debt]) -> Result<(), StoreError> {
        let trace = TraceContext::current().map(|trace| trace.traceparent()).unwrap_or_default();
        for debts in debts.chunks(MAX_ROWS) {
            let statement = format!(
                "INSERT INTO outbox (service, method, cause, payload, owed_at, due_at, trace) VALUES {} \
                 ON CONFLICT (service, method, cause) DO NOTHING",
                values::rows(debts.len(), 7)
            );
            let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(debts.len()));
            let now = now();
            let query = debts.iter().fold(query, |query, debt| {
                let query = query.bind(debt.to.as_str()).bind(debt.method.as_str());
                query.bind(debt.cause.as_str()).bind(&*debt.payload).bind(now).bind(now).bind(trace.as_str())
            });
            query.execute(&mut **tx).await?;
        }
        Ok(())
    }

    /// Has what is owed delivered now rather than within a second.
    pub fn wake(&self) {
        self.wake.send_replace(());
    }

    /// How much is owed, and since when.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn depth(&self) -> Result<OutboxDepth, StoreError> {
        let row = sqlx::query("SELECT COUNT(*), MIN(owed_at) FROM outbox")
            .fetch_one(self.database.reader())
            .await?;
        let since = |at: i64| Duration::from_micros(u64::try_from(now() - at).unwrap_or_default());
        let count: i64 = row.try_get(0)?;
        Ok(OutboxDepth {
            count: u64::try_from(count).unwrap_or_default(),
            oldest: row.try_get::<Option<i64>, _>(1)?.map(since),
        })
    }
}
