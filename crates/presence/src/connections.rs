//! Connections: which are open, and which have left and must not come back.

use std::collections::BTreeMap;

use carillon_store::{StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row as _};

/// What is known of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) lease: String,
    /// When it was closed, or 0.
    left_at: i64,
    /// When it stops counting, if that is still to come, or 0.
    due: i64,
}

/// What can become of a connection, in the order in which one overrules another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Nothing: there is only a row to hold, which is to be [forgotten](forget).
    Unknown,
    Open,
    /// Closed, and awaited until then.
    Awaited {
        due: i64,
    },
    Closed,
}

impl State {
    /// Of nothing that is known.
    const UNKNOWN: i64 = -1;

    /// At this time.
    pub(crate) fn new(lease: &str, stage: Stage, now: i64) -> Self {
        let (left_at, due) = match stage {
            Stage::Unknown => (Self::UNKNOWN, 0),
            Stage::Open => (0, 0),
            Stage::Awaited { due } => (now, due),
            Stage::Closed => (now, 0),
        };
        Self { lease: lease.to_owned(), left_at, due }
    }

    pub(crate) fn stage(&self) -> Stage {
        match (self.left_at, self.due) {
            (Self::UNKNOWN, _) => Stage::Unknown,
            (0, _) => Stage::Open,
            (_, 0) => Stage::Closed,
            (_, due) => Stage::Awaited { due },
        }
    }
}

/// Tells the table what has become of connections, which locks them, and returns what is so now. A
/// connection that has left stays so; of several ends the first counts, unless a later one is final.
pub(crate) async fn change(
    tx: &mut Transaction,
    changes: &BTreeMap<&str, State>,
) -> Result<BTreeMap<String, State>, StoreError> {
    const ON_CONFLICT: &str = "ON CONFLICT (connection) DO UPDATE SET \
         left_at = CASE WHEN presence_connection.left_at > 0 OR excluded.left_at < 0 \
                        THEN presence_connection.left_at ELSE excluded.left_at END, \
         due = CASE WHEN presence_connection.left_at > 0 AND (excluded.left_at <= 0 OR excluded.due > 0) \
                    THEN presence_connection.due ELSE excluded.due END \
         RETURNING connection, lease, left_at, due";
    let changes: Vec<_> = changes.iter().collect();
    let mut states = BTreeMap::new();
    for changes in changes.chunks(values::MAX_ROWS) {
        let statement = format!(
            "INSERT INTO presence_connection (connection, lease, left_at, due) VALUES {} {ON_CONFLICT}",
            values::rows(changes.len(), 4)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(changes.len()));
        let query = changes.iter().fold(query, |query, (connection, state)| {
            query.bind(**connection).bind(state.lease.as_str()).bind(state.left_at).bind(state.due)
        });
        for row in query.fetch_all(&mut **tx).await? {
            let state = State { lease: row.try_get(1)?, left_at: row.try_get(2)?, due: row.try_get(3)? };
            states.insert(row.try_get(0)?, state);
        }
    }
    Ok(states)
}

/// Locks connections, and returns what is known of them. One that isn't there any more gets a row all
/// the same: [`forget`] it.
pub(crate) async fn lock(
    tx: &mut Transaction,
    connections: &[String],
) -> Result<BTreeMap<String, State>, StoreError> {
    let unknown = State::new("", Stage::Unknown, 0);
    let changes = connections.iter().map(|connection| (connection.as_str(), unknown.clone())).collect();
    change(tx, &changes).await
}

/// Nothing is awaited of these any more: they have left.
pub(crate) async fn settle(tx: &mut Transaction, connections: &[String]) -> Result<(), StoreError> {
    each(tx, "UPDATE presence_connection SET due = 0", connections).await
}

/// Connections as if they had never been.
pub(crate) async fn forget(tx: &mut Transaction, connections: &[String]) -> Result<(), StoreError> {
    each(tx, "DELETE FROM presence_connection", connections).await
}

async fn each(
    tx: &mut Transaction,
    statement: &'static str,
    connections: &[String],
) -> Result<(), StoreError> {
    for connections in connections.chunks(values::MAX_ROWS) {
        let list = values::list(connections.len(), 1);
        let query = sqlx::query(AssertSqlSafe(format!("{statement} WHERE connection IN ({list})")));
        let query = query.persistent(values::is_kept(connections.len()));
        let query = connections.iter().fold(query, |query, connection| query.bind(connection.as_str()));
        query.execute(&mut **tx).await?;
    }
    Ok(())
}
