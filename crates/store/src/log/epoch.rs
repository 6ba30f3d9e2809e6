//! The identity of a log.

use super::Log;
use crate::{Database, StoreError};

impl Log {
    /// The epoch of the log in this database, whether or not a service has it open.
    ///
    /// # Errors
    /// A database that fails, or in which no service has opened a log yet.
    pub async fn epoch_in(database: &Database) -> Result<String, StoreError> {
        let found =
            sqlx::query_scalar("SELECT epoch FROM log WHERE id = 1").fetch_optional(database.reader());
        found.await?.ok_or_else(|| StoreError::other("the log was never opened"))
    }

    /// Gives the log a new epoch, and says which. A log that was brought back from a backup lacks its last events and
    /// gives their offsets out again: under the old epoch readers would take new events for those that they have.
    /// Whoever has the log open goes on with the old one until it opens it again.
    ///
    /// # Errors
    /// As [`epoch_in`](Self::epoch_in).
    pub async fn renew_epoch(database: &Database) -> Result<String, StoreError> {
        let (epoch, mut tx) = (random(), database.begin().await?);
        let renewed =
            sqlx::query("UPDATE log SET epoch = $1 WHERE id = 1").bind(&epoch).execute(&mut *tx).await?;
        if renewed.rows_affected() != 1 {
            return Err(StoreError::other("the log was never opened"));
        }
        tx.commit().await?;
        Ok(epoch)
    }
}

/// Of replicas that start together, the first one's choice counts.
pub(super) async fn settle(database: &Database) -> Result<String, StoreError> {
    let mut tx = database.begin().await?;
    sqlx::query("INSERT INTO log (id, epoch) VALUES (1, $1) ON CONFLICT (id) DO NOTHING")
        .bind(random())
        .execute(&mut *tx)
        .await?;
    let epoch = sqlx::query_scalar("SELECT epoch FROM log WHERE id = 1").fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(epoch)
}

fn random() -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    (0..8).map(|_| char::from(LETTERS[rand::random_range(0..LETTERS.len())])).collect()
}
