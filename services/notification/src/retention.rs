//! Removing what is no longer kept, in the background.

use std::time::Duration;

use carillon_store::{StoreError, now};
use sqlx::Row;
use tokio_util::sync::CancellationToken;

use crate::{
    delivery::{Keep, RETENTION},
    inbox::{Inboxes, State},
    metrics::Metrics,
};

/// Rows, or users, of one transaction.
const AT_A_TIME: i64 = 500;

/// Prunes the log and the inboxes, again and again until shutdown. Every replica does: what one
/// has removed, the next doesn't find.
pub(crate) struct Pruner {
    pub(crate) inboxes: Inboxes,
    pub(crate) keep: Keep,
    pub(crate) pause: Duration,
    pub(crate) metrics: Metrics,
}

impl Pruner {
    pub(crate) async fn run(self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(self.pause) => {}
            }
            if let Err(error) = self.prune(&shutdown).await {
                tracing::warn!(%error, "what is no longer kept could not be removed; trying again later");
            }
        }
    }

    async fn prune(&self, shutdown: &CancellationToken) -> Result<(), StoreError> {
        self.inboxes.log.prune().await?;
        while !shutdown.is_cancelled() && self.expire().await? {}
        let before = now() - self.keep.repeatable;
        for sql in [FORGET_REMOVED, FORGET_KEYS, FORGET_BROADCASTS] {
            while !shutdown.is_cancelled() && self.forget(sql, before).await? {}
        }
        Ok(())
    }

    /// Removes what is too old from the inboxes of some users. Tells whether there may be more.
    async fn expire(&self) -> Result<bool, StoreError> {
        let before = now() - self.keep.age;
        let sql =
            "SELECT DISTINCT user_id FROM notification WHERE created_at < $1 AND removed_by = '' LIMIT $2";
        let query = sqlx::query(sql).bind(before).bind(AT_A_TIME);
        let users = query.fetch_all(self.inboxes.database.reader()).await?;
        for row in &users {
            self.expire_of(row.try_get("user_id")?, before).await?;
        }
        Ok(!users.is_empty())
    }

    async fn expire_of(&self, user: &str, before: i64) -> Result<(), StoreError> {
        let mut tx = self.inboxes.database.begin().await?;
        let mut state = State::lock(&mut tx, user).await?;
        let sql = "UPDATE notification SET removed_by = $3, body = ''
                   WHERE user_id = $1 AND created_at < $2 AND removed_by = '' RETURNING read_at";
        let query = sqlx::query(sql).bind(user.to_owned()).bind(before).bind(RETENTION);
        let removed = query.fetch_all(&mut *tx).await?;
        for row in &removed {
            state.counts.total -= 1;
            state.counts.unread -= i64::from(row.try_get::<i64, _>("read_at")? == 0);
        }
        state.version += 1;
        State::save(&mut tx, [&state]).await?;
        tx.commit().await?;
        self.metrics.expired.inc_by(u64::try_from(removed.len()).unwrap_or_default());
        Ok(())
    }

    /// Deletes some rows for good. Tells whether there may be more.
    async fn forget(&self, sql: &'static str, before: i64) -> Result<bool, StoreError> {
        let mut tx = self.inboxes.database.begin().await?;
        let query = sqlx::query(sql).bind(before).bind(AT_A_TIME);
        let forgotten = query.execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(forgotten > 0)
    }
}

const FORGET_REMOVED: &str = "DELETE FROM notification WHERE (user_id, sequence) IN (
    SELECT user_id, sequence FROM notification WHERE created_at < $1 AND removed_by <> '' LIMIT $2)";

const FORGET_KEYS: &str = "DELETE FROM idempotency WHERE idempotency_key IN (
    SELECT idempotency_key FROM idempotency WHERE created_at < $1 LIMIT $2)";

/// The newest hundred stay: an inbox may still have to copy them.
const FORGET_BROADCASTS: &str = "DELETE FROM broadcast WHERE number IN (
    SELECT b.number FROM broadcast b JOIN broadcast_head h ON h.id = 1
    WHERE b.created_at < $1 AND b.number <= h.number - 100 LIMIT $2)";
