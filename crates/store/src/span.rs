//! The spans of what is done in a database. None of them holds a statement, or a value of one.

use carillon_contract::ServiceName;
use carillon_trace::{Kind, Span, TraceContext};

use crate::{Database, Engine, StoreError};

/// A transaction, on behalf of `parent`: from the wait for a connection to the commit.
pub(crate) fn transaction(database: &Database, parent: Option<&TraceContext>) -> Span {
    let mut span = Span::child_of(parent, Kind::Client, || "db.transaction".into());
    if span.is_recording() {
        span.set("db.system.name", system(database.engine()));
        span.set("db.namespace", database.service().as_str());
    }
    span
}

/// Appending so many events within a transaction.
pub(crate) fn append(parent: Option<&TraceContext>, events: usize) -> Span {
    let mut span = Span::child_of(parent, Kind::Internal, || "log.append".into());
    span.set_count("carillon.events", events);
    span
}

/// One write among those that may share a transaction: from its caller's word to the commit.
pub(crate) fn write() -> Span {
    Span::child(Kind::Internal, || "db.write".into())
}

/// An attempt to deliver what is owed, in the trace in which it came to be.
pub(crate) fn delivery(of: ServiceName, owed: Option<&TraceContext>, attempts: i64) -> Span {
    let mut span = Span::child_of(owed, Kind::Internal, || "outbox.deliver".into());
    span.set_service(of.as_str());
    span.set("carillon.outbox.attempts", attempts);
    span
}

/// It did not succeed, for what reason in a word: a database's own text may repeat what a user wrote.
pub(crate) fn fail(span: &mut Span, error: &StoreError) {
    span.fail(match error {
        StoreError::Unavailable(_) => "unavailable",
        StoreError::Conflict(_) => "conflict",
        StoreError::Other(_) => "failed",
    });
}

/// As OpenTelemetry names it.
fn system(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "postgresql",
        Engine::Sqlite => "sqlite",
    }
}
