//! Removing what is no longer kept, in the background.

use std::time::Duration;

use carillon_store::{Database, Log, StoreError, now};
use tokio_util::sync::CancellationToken;

use crate::{args::SettingsArgs, counters};

/// Rows of one transaction.
const AT_A_TIME: i64 = 500;

const FORGET_ROOM_MESSAGES: &str = "DELETE FROM message WHERE id IN (
    SELECT id FROM message WHERE created_at < $1 AND channel LIKE 'room.%' LIMIT $2)";

/// Prunes the log, the messages of chat rooms and the causes of counters' updates, again and again until shutdown. Every replica
/// does: what one has removed, the next doesn't find.
#[derive(Debug, Clone)]
pub(crate) struct Pruner {
    database: Database,
    log: Log,
    room_age: i64,
    pause: Duration,
}

impl Pruner {
    pub(crate) fn new(database: &Database, log: &Log, settings: &SettingsArgs) -> Self {
        Self {
            database: database.clone(),
            log: log.clone(),
            room_age: carillon_service::time::microseconds(settings.chat_room_age),
            pause: settings.chat_prune_every,
        }
    }

    pub(crate) async fn run(&self, shutdown: CancellationToken) {
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
        self.log.prune().await?;
        let before = now() - self.room_age;
        while !shutdown.is_cancelled() && self.forget(before).await? {}
        while !shutdown.is_cancelled() && self.forget_updates().await? {}
        Ok(())
    }

    /// Forgets some updates of counters. Tells whether there may be more.
    async fn forget_updates(&self) -> Result<bool, StoreError> {
        let mut tx = self.database.begin().await?;
        let forgotten = counters::forget(&mut tx, AT_A_TIME).await?;
        tx.commit().await?;
        Ok(forgotten > 0)
    }

    /// Deletes some messages for good. Tells whether there may be more.
    async fn forget(&self, before: i64) -> Result<bool, StoreError> {
        let mut tx = self.database.begin().await?;
        let query = sqlx::query(FORGET_ROOM_MESSAGES).bind(before).bind(AT_A_TIME);
        let forgotten = query.execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(forgotten > 0)
    }
}
