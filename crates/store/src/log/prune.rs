//! Forgetting: by age, and by count per channel. Heads never change.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::Log;
use crate::{StoreError, microseconds, now};

/// How many of the oldest events are looked at before some are forgotten.
const BATCH: i64 = 1_000;

/// How many channels a transaction locks: writers wait for it.
const CHANNELS: usize = 50;

/// For each channel, the last offset that goes. Sorted: the order of locking.
type Cuts = BTreeMap<String, i64>;

impl Log {
    /// Forgets what the retention does not keep, in small transactions, and says how many events
    /// that were. Replicas may do it at the same time.
    ///
    /// # Errors
    /// If the database fails; what was forgotten before stays forgotten.
    pub async fn prune(&self) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        loop {
            let cuts = self.aged().await?;
            if cuts.is_empty() {
                break;
            }
            forgotten += self.cut(&cuts).await?;
        }
        loop {
            let cuts = self.crowded().await?;
            if cuts.is_empty() {
                return Ok(forgotten);
            }
            forgotten += self.cut(&cuts).await?;
        }
    }

    /// The channels of the oldest events that are past their age.
    async fn aged(&self) -> Result<Cuts, StoreError> {
        let rows = sqlx::query(
            "SELECT channel, MAX(position) FROM \
             (SELECT channel, position FROM event WHERE at < $1 ORDER BY at LIMIT $2) AS oldest \
             GROUP BY channel",
        )
        .bind(now().saturating_sub(microseconds(self.retention.age)))
        .bind(BATCH)
        .fetch_all(self.database.reader())
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Channels that hold more than they may, and of each as much as one batch takes.
    async fn crowded(&self) -> Result<Cuts, StoreError> {
        let count = i64::try_from(self.retention.count).unwrap_or(i64::MAX);
        let rows = sqlx::query("SELECT name, head, first FROM channel WHERE head - first >= $1 LIMIT $2")
            .bind(count)
            .bind(i64::try_from(CHANNELS).unwrap_or(BATCH))
            .fetch_all(self.database.reader())
            .await?;
        let cut = |head: i64, first: i64| (head - count).min(first + BATCH - 1);
        rows.iter().map(|row| Ok((row.try_get(0)?, cut(row.try_get(1)?, row.try_get(2)?)))).collect()
    }

    async fn cut(&self, cuts: &Cuts) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        let cuts: Vec<_> = cuts.iter().collect();
        for cuts in cuts.chunks(CHANNELS) {
            let mut tx = self.database.begin().await?;
            for (channel, cut) in cuts {
                // The counter first, as an append does it, or the two could deadlock.
                sqlx::query("UPDATE channel SET first = $2 + 1 WHERE name = $1 AND first <= $2")
                    .bind(channel.as_str())
                    .bind(**cut)
                    .execute(&mut *tx)
                    .await?;
                forgotten += sqlx::query("DELETE FROM event WHERE channel = $1 AND position <= $2")
                    .bind(channel.as_str())
                    .bind(**cut)
                    .execute(&mut *tx)
                    .await?
                    .rows_affected();
            }
            tx.commit().await?;
        }
        Ok(forgotten)
    }
}
