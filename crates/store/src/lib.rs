//! One database handle for Postgres and SQLite, migrations, the event log, what is owed to other
//! services, and group commit.
//!
//! One SQL text serves both engines: `$1`, `RETURNING` and `ON CONFLICT` work on both, and the few
//! fragments that differ are [`Engine`]'s. Through `sqlx::Any` a column is BIGINT, TEXT, BYTES or
//! DOUBLE PRECISION; a truth value is a BIGINT of 0 or 1 (SQLite's BOOLEAN can't be read through
//! `Any`), a time is a BIGINT of microseconds since 1970 ([`now`]), and a sum is cast to BIGINT.

mod database;
mod engine;
mod error;
mod group_commit;
mod health;
mod inspection;
mod log;
mod metrics;
mod migration;
mod outbox;
mod postgres;
mod snapshot;
mod span;
mod sqlite;
mod transaction;
pub mod values;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use database::{Database, DatabaseOptions};
pub use engine::Engine;
pub use error::StoreError;
pub use group_commit::{Batch, GroupCommit};
pub use health::DatabaseHealth;
pub use inspection::{Inspection, Limits, Step, StepState};
pub use log::{Appended, Log, NewEvent, Retention};
pub use migration::Migration;
pub use outbox::{Debt, Outbox, OutboxDepth};
pub use snapshot::Snapshot;
pub use transaction::Transaction;

/// The time, in microseconds since 1970, as every table keeps it.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, microseconds)
}

/// A duration in microseconds, as times are reckoned with.
fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
