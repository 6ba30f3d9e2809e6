//! Forgetting what is no longer needed.

use std::time::Duration;

use carillon_service::time::microseconds;
use carillon_store::StoreError;
use sqlx::Row as _;

use crate::{Announcer, Presence};

/// How long a topic without members, and a lease that has lapsed, keep their rows: longer than any
/// transaction lasts, and than replicas' clocks differ.
const IDLE: Duration = Duration::from_secs(3_600);

/// For how long a gateway that was cut off finds its connections' positions: longer than anybody waits.
const CUT_OFF: Duration = Duration::from_secs(86_400);

impl<A: Announcer> Presence<A> {
    /// Forgets what can be, and warns if that fails.
    pub(crate) async fn tidy_or_warn(&self) {
        if let Err(error) = self.tidy().await {
            tracing::warn!(%error, "presence could not be tidied; trying again later");
        }
    }

    /// Forgets connections that left long ago, positions of those that were not entered again, topics
    /// that are empty and leases that lapsed, some at a time, and measures how many connections there are.
    async fn tidy(&self) -> Result<(), StoreError> {
        let now = self.inner.options.clock.now();
        let forgotten = [
            (FORGET_CONNECTIONS, self.inner.options.memory),
            (FORGET_POSITIONS, CUT_OFF),
            (FORGET_TOPICS, IDLE),
            (FORGET_LEASES, IDLE),
        ];
        for (statement, age) in forgotten {
            while self.forget(statement, now.saturating_sub(microseconds(age))).await? >= AT_A_TIME {}
        }
        let count = sqlx::query("SELECT COUNT(*) FROM presence_connection WHERE left_at = 0");
        let row = count.fetch_one(self.inner.database.reader()).await?;
        self.inner.metrics.connections.set(row.try_get(0)?);
        Ok(())
    }

    async fn forget(&self, statement: &'static str, before: i64) -> Result<u64, StoreError> {
        let mut tx = self.inner.database.begin().await?;
        let forgotten = sqlx::query(statement).bind(before).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(forgotten)
    }
}

const FORGET_CONNECTIONS: &str = "DELETE FROM presence_connection WHERE connection IN ( \
     SELECT connection FROM presence_connection WHERE left_at > 0 AND left_at < $1 AND due = 0 LIMIT 5000)";

/// The most rows that each of these statements forgets.
const AT_A_TIME: u64 = 5_000;

/// The conditions are repeated, for whoever enters a connection in between changes them.
const FORGET_POSITIONS: &str = "DELETE FROM presence_position WHERE out_since > 0 AND out_since < $1 \
     AND (connection, scope) IN ( \
     SELECT connection, scope FROM presence_position WHERE out_since > 0 AND out_since < $1 LIMIT 5000)";

/// They are repeated here as well, for whoever locks a topic in between changes its time.
const FORGET_TOPICS: &str = "DELETE FROM presence_topic WHERE members = 0 AND changed_at < $1 AND topic IN ( \
     SELECT topic FROM presence_topic WHERE members = 0 AND changed_at < $1 LIMIT 5000)";

/// Likewise.
const FORGET_LEASES: &str = "DELETE FROM presence_lease WHERE expires_at < $1 AND NOT EXISTS ( \
     SELECT 1 FROM presence_connection \
     WHERE presence_connection.lease = presence_lease.lease AND left_at = 0)";
