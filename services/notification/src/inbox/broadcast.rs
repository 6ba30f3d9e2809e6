//! Notifications to everyone: stored once, copied into an inbox when it is next used.

use carillon_store::{StoreError, Transaction, now};
use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use super::{State, reference::everyone_id};
use crate::values::{places, slices};

/// An inbox gets the newest so many of those that it has missed.
const NEWEST: i64 = 100;

/// One notification to everyone.
pub(crate) struct BroadcastRow {
    pub(crate) number: i64,
    external_id: String,
    body: String,
    created_at: i64,
}

/// A copy that an inbox gets.
struct Copy<'a> {
    user: String,
    sequence: i64,
    row: &'a BroadcastRow,
}

/// Copies into each of these inboxes, as its next notifications, what was sent to everyone up to
/// `head` since it was last used, no older than `keep` microseconds. Doesn't save the states.
pub(crate) async fn catch_up<'a>(
    tx: &mut Transaction,
    states: impl IntoIterator<Item = &'a mut State>,
    head: i64,
    keep: i64,
) -> Result<(), StoreError> {
    let behind: Vec<_> = states.into_iter().filter(|state| state.everyone_through < head).collect();
    let Some(after) = behind.iter().map(|state| state.everyone_through).min() else { return Ok(()) };
    let rows = BroadcastRow::between(tx, after.max(head - NEWEST), head, now() - keep).await?;
    let mut copies = Vec::new();
    for state in behind {
        copies.extend(rows.iter().filter_map(|row| state.copy(row)));
        state.everyone_through = head;
    }
    for slice in slices(&copies) {
        insert(tx, slice).await?;
    }
    Ok(())
}

impl State {
    fn copy<'a>(&mut self, row: &'a BroadcastRow) -> Option<Copy<'a>> {
        if row.number <= self.everyone_through {
            return None;
        }
        self.version += 1;
        self.counts.total += 1;
        self.counts.unread += 1;
        Some(Copy { user: self.user.clone(), sequence: self.version, row })
    }
}

async fn insert(tx: &mut Transaction, copies: &[Copy<'_>]) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO notification
         (user_id, sequence, cause, broadcast, external_id, body, read_at, removed_by, created_at)
         VALUES {}",
        places(copies.len(), 9)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for Copy { user, sequence, row } in copies {
        query = query.bind(user.clone()).bind(*sequence).bind(everyone_id(row.number));
        query = query.bind(row.number).bind(row.external_id.clone()).bind(row.body.clone());
        query = query.bind(0_i64).bind(String::new()).bind(row.created_at);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

impl BroadcastRow {
    /// The highest number in use.
    pub(crate) async fn head(tx: &mut Transaction) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT number FROM broadcast_head WHERE id = 1").fetch_one(&mut **tx).await?;
        Ok(row.try_get("number")?)
    }

    async fn between(
        tx: &mut Transaction,
        after: i64,
        through: i64,
        since: i64,
    ) -> Result<Vec<Self>, StoreError> {
        let rows = sqlx::query(
            "SELECT number, external_id, body, created_at FROM broadcast
             WHERE number > $1 AND number <= $2 AND created_at >= $3 ORDER BY number",
        )
        .bind(after)
        .bind(through)
        .bind(since)
        .fetch_all(&mut **tx)
        .await?;
        rows.iter().map(Self::read).collect()
    }

    fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            number: row.try_get("number")?,
            external_id: row.try_get("external_id")?,
            body: row.try_get("body")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
