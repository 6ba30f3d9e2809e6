//! Claiming debts, so that replicas don't deliver the same, and settling them.

use std::time::Duration;

use bytes::Bytes;
use carillon_contract::ServiceName;
use sqlx::{AssertSqlSafe, Row as _};

use super::{Debt, Outbox};
use crate::{StoreError, Transaction, microseconds, now, values};

/// How many debts a replica claims at a time.
pub(super) const BATCH: usize = 100;

/// How long a claim holds. What its replica did not settle until then is anyone's again.
const CLAIM: Duration = Duration::from_secs(60);

/// The pause after a debt's first failure. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A debt that this replica has claimed.
pub(super) struct Claimed {
    pub(super) debt: Debt,
    /// How often it failed before.
    attempts: i64,
}

/// What became of the debts that were claimed.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) acknowledged: Vec<Claimed>,
    pub(super) failed: Option<Claimed>,
    /// Not tried: the one before failed, or time was up.
    pub(super) untried: Vec<Claimed>,
}

impl Outbox {
    /// The oldest debts to a service that are due and nobody's.
    pub(super) async fn claim(&self, to: ServiceName) -> Result<Vec<Claimed>, StoreError> {
        let statement = format!(
            "UPDATE outbox SET due_at = $3 WHERE service = $1 AND due_at <= $2 AND (method, cause) IN (\
                 SELECT method, cause FROM outbox WHERE service = $1 AND due_at <= $2 \
                 ORDER BY owed_at LIMIT $4{}\
             ) RETURNING owed_at, method, cause, payload, attempts",
            self.database.for_update()
        );
        let now = now();
        let mut tx = self.database.begin().await?;
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(to.as_str())
            .bind(now)
            .bind(now.saturating_add(microseconds(CLAIM)))
            .bind(i64::try_from(BATCH).unwrap_or(i64::MAX))
            .fetch_all(&mut *tx)
            .await?;
        tx.commit().await?;
        let mut claimed = Vec::with_capacity(rows.len());
        for row in &rows {
            let payload = Bytes::from(row.try_get::<Vec<u8>, _>(3)?);
            let debt = Debt { to, method: row.try_get(1)?, cause: row.try_get(2)?, payload };
            claimed.push((row.try_get::<i64, _>(0)?, Claimed { debt, attempts: row.try_get(4)? }));
        }
        claimed.sort_by_key(|(owed_at, _)| *owed_at);
        Ok(claimed.into_iter().map(|(_, claimed)| claimed).collect())
    }

    /// Whether something is due to a service. A look costs less than a claim, and locks nothing.
    pub(super) async fn is_due(&self, to: ServiceName) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT 1 FROM outbox WHERE service = $1 AND due_at <= $2 LIMIT 1")
            .bind(to.as_str())
            .bind(now())
            .fetch_optional(self.database.reader())
            .await?;
        Ok(row.is_some())
    }

    /// Forgets what was acknowledged, lets what failed rest, and gives the others back.
    pub(super) async fn settle(&self, to: ServiceName, outcome: Outcome) -> Result<(), StoreError> {
        let mut tx = self.database.begin().await?;
        for_each(&mut tx, to, "DELETE FROM outbox", &outcome.acknowledged).await?;
        for_each(&mut tx, to, "UPDATE outbox SET due_at = 0", &outcome.untried).await?;
        if let Some(failed) = outcome.failed {
            sqlx::query(
                "UPDATE outbox SET attempts = attempts + 1, due_at = $4 \
                 WHERE service = $1 AND method = $2 AND cause = $3",
            )
            .bind(to.as_str())
            .bind(failed.debt.method)
            .bind(failed.debt.cause)
            .bind(now().saturating_add(microseconds(pause(failed.attempts))))
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await
    }
}

/// How long something rests that failed so often before.
pub(super) fn pause(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 16)).unwrap_or_default();
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

async fn for_each(
    tx: &mut Transaction,
    to: ServiceName,
    change: &'static str,
    claimed: &[Claimed],
) -> Result<(), StoreError> {
    if claimed.is_empty() {
        return Ok(());
    }
    let keys = values::rows_from(2, claimed.len(), 2);
    let statement = format!("{change} WHERE service = $1 AND (method, cause) IN (VALUES {keys})");
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(claimed.len()));
    let query = query.bind(to.as_str());
    let query = claimed.iter().fold(query, |query, claimed| {
        query.bind(claimed.debt.method.as_str()).bind(claimed.debt.cause.as_str())
    });
    query.execute(&mut **tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute() {
        assert_eq!(pause(0), FIRST_PAUSE);
        assert_eq!(pause(1), FIRST_PAUSE * 2);
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }
}
