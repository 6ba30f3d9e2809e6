//! Claiming debts, so that replicas don't deliver the same, and settling them.

use std::time::Duration;

use bytes::Bytes;
use carillon_contract::ServiceName;
use carillon_trace::TraceContext;
use sqlx::{AssertSqlSafe, Row as _, any::AnyRow};

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
    pub(super) attempts: i64,
    /// Where it came to be owed.
    pub(super) trace: Option<TraceContext>,
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
            "SELECT method, cause, payload, attempts, trace FROM outbox \
             WHERE service = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3{}",
            self.database.for_update()
        );
        let mut tx = self.database.begin().await?;
        let rows = sqlx::query(AssertSqlSafe(statement))
            .bind(to.as_str())
            .bind(now())
            .bind(i64::try_from(BATCH).unwrap_or(i64::MAX))
            .fetch_all(&mut *tx)
            .await?;
        let claimed = rows.iter().map(|row| claimed(to, row)).collect::<Result<Vec<_>, _>>()?;
        change(&mut tx, "UPDATE outbox SET due_at = $1", Some(in_a(CLAIM)), to, &claimed).await?;
        tx.commit().await?;
        Ok(claimed)
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
        change(&mut tx, "DELETE FROM outbox", None, to, &outcome.acknowledged).await?;
        change(&mut tx, "UPDATE outbox SET due_at = owed_at", None, to, &outcome.untried).await?;
        if let Some(failed) = outcome.failed {
            let rested = in_a(pause(failed.attempts));
            let again = "UPDATE outbox SET attempts = attempts + 1, due_at = $1";
            change(&mut tx, again, Some(rested), to, &[failed]).await?;
        }
        tx.commit().await
    }
}

fn claimed(to: ServiceName, row: &AnyRow) -> Result<Claimed, sqlx::Error> {
    let payload = Bytes::from(row.try_get::<Vec<u8>, _>(2)?);
    let debt = Debt { to, method: row.try_get(0)?, cause: row.try_get(1)?, payload };
    let trace = TraceContext::parse(row.try_get(4)?);
    Ok(Claimed { debt, attempts: row.try_get(3)?, trace })
}

fn in_a(while_from_now: Duration) -> i64 {
    now().saturating_add(microseconds(while_from_now))
}

/// How long something rests that failed so often before.
pub(super) fn pause(failures: i64) -> Duration {
    let doublings = u32::try_from(failures.clamp(0, 16)).unwrap_or_default();
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// Changes the rows of debts; `time` is the change's `$1`, if it has one.
async fn change(
    tx: &mut Transaction,
    change: &'static str,
    time: Option<i64>,
    to: ServiceName,
    claimed: &[Claimed],
) -> Result<(), StoreError> {
    if claimed.is_empty() {
        return Ok(());
    }
    let service = 1 + usize::from(time.is_some());
    let keys = values::rows_from(service + 1, claimed.len(), 2);
    let statement = format!("{change} WHERE service = ${service} AND (method, cause) IN (VALUES {keys})");
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(claimed.len()));
    let query = time.into_iter().fold(query, |query, time| query.bind(time)).bind(to.as_str());
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
