//! Removing attachments that no message carries, or carries no longer.

use std::time::{Duration, Instant};

use carillon_store::{StoreError, now};
use sqlx::{AssertSqlSafe, Row as _};
use tokio_util::sync::CancellationToken;

use super::Attachments;

/// Attachments of one transaction.
const AT_A_TIME: i64 = 100;

/// What an upload of this age has left behind in the store without becoming a blob, it has left for good: no
/// address to upload to works for as long.
const ABANDONED: Duration = Duration::from_secs(3_600);

impl Attachments {
    /// Sweeps again and again until shutdown. Every replica does: removing what is gone is no error.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        let Some(blobs) = &self.blobs else { return };
        let mut abandoned = Instant::now();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(self.pause) => {}
            }
            if let Err(error) = self.sweep(&shutdown).await {
                tracing::warn!(%error, "attachments could not be removed; trying again later");
            }
            // It looks through the whole store, which is worth it now and then.
            if abandoned.elapsed() > ABANDONED {
                abandoned = Instant::now();
                if let Err(error) = blobs.store.remove_abandoned(ABANDONED).await {
                    tracing::warn!(%error, "what uploads left behind could not be removed; trying again later");
                }
            }
        }
    }

    async fn sweep(&self, shutdown: &CancellationToken) -> anyhow::Result<()> {
        let Some(blobs) = &self.blobs else { return Ok(()) };
        while !shutdown.is_cancelled() {
            let removing = self.begin().await?;
            // The blob first: a row without a blob is found again, a blob without a row never.
            for (_, key) in &removing {
                blobs.store.delete(&key.parse()?).await?;
            }
            self.forget(&removing).await?;
            if removing.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// From here on no message can claim them. Those whose removal was cut off are among them again.
    async fn begin(&self) -> Result<Vec<(String, String)>, StoreError> {
        let sql = format!(
            "UPDATE attachment SET removing = 1 WHERE id IN (SELECT id FROM attachment WHERE remove_at > 0 \
             AND remove_at <= $1 ORDER BY id LIMIT $2{}) AND remove_at > 0 AND remove_at <= $3 \
             RETURNING id, blob_key",
            self.database.for_update()
        );
        let mut tx = self.database.begin().await?;
        let now = now();
        let rows =
            sqlx::query(AssertSqlSafe(sql)).bind(now).bind(AT_A_TIME).bind(now).fetch_all(&mut *tx).await?;
        tx.commit().await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    async fn forget(&self, removed: &[(String, String)]) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        for (id, _) in removed {
            let query = sqlx::query("DELETE FROM attachment WHERE id = $1 AND removing = 1").bind(id);
            query.execute(&mut *tx).await?;
        }
        tx.commit().await
    }
}
