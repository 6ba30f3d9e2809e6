//! Leases: a gateway's word that its connections are still there.

use carillon_store::{StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row as _};

/// Extends a lease, or starts it, and returns its generation.
pub(crate) async fn renew(tx: &mut Transaction, lease: &str, expires_at: i64) -> Result<String, StoreError> {
    let statement = "INSERT INTO presence_lease (lease, generation, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (lease) DO UPDATE SET expires_at = CASE \
             WHEN presence_lease.expires_at > excluded.expires_at THEN presence_lease.expires_at \
             ELSE excluded.expires_at END \
         RETURNING generation";
    let query = sqlx::query(statement).bind(lease).bind(generation()).bind(expires_at);
    Ok(query.fetch_one(&mut **tx).await?.try_get(0)?)
}

/// Sees to it that each of these leases, which are sorted, has a row that stays.
///
/// One that is valid is not locked, for gateways are busy; if it lapses before this transaction
/// commits, its row is there long enough for the connections to be found. One that isn't is held for
/// as long as if it were renewed: its gateway has just said something. (What it has lost meanwhile it
/// learns from the generation, which changed with that.)
pub(crate) async fn hold(
    tx: &mut Transaction,
    leases: &[&str],
    now: i64,
    expires_at: i64,
) -> Result<(), StoreError> {
    for leases in leases.chunks(values::MAX_ROWS) {
        let valid = valid(tx, leases, now).await?;
        let others: Vec<_> =
            leases.iter().filter(|lease| !valid.iter().any(|valid| valid == *lease)).collect();
        if others.is_empty() {
            continue;
        }
        let statement = format!(
            "INSERT INTO presence_lease (lease, generation, expires_at) VALUES {} \
             ON CONFLICT (lease) DO UPDATE SET expires_at = excluded.expires_at \
             WHERE presence_lease.expires_at <= $1",
            values::rows_from(2, others.len(), 3)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(others.len()));
        let query = others
            .iter()
            .fold(query.bind(now), |query, lease| query.bind(**lease).bind(generation()).bind(expires_at));
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

async fn valid(tx: &mut Transaction, leases: &[&str], now: i64) -> Result<Vec<String>, StoreError> {
    let statement = format!(
        "SELECT lease FROM presence_lease WHERE expires_at > $1 AND lease IN ({})",
        values::list(leases.len(), 2)
    );
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(leases.len()));
    let query = leases.iter().fold(query.bind(now), |query, lease| query.bind(*lease));
    query.fetch_all(&mut **tx).await?.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Locks a lease, and gives it another generation, if it has lapsed.
pub(crate) async fn end(tx: &mut Transaction, lease: &str, now: i64) -> Result<bool, StoreError> {
    let statement = "UPDATE presence_lease SET generation = $2 WHERE lease = $1 AND expires_at <= $3";
    let query = sqlx::query(statement).bind(lease).bind(generation()).bind(now);
    Ok(query.execute(&mut **tx).await?.rows_affected() > 0)
}

/// A text that no other generation has.
fn generation() -> String {
    format!("{:032x}", rand::random::<u128>())
}
