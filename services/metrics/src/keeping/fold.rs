//! What those counted who are gone for good becomes part of the totals, so that what is kept stays small.

use carillon_store::{Database, StoreError, Transaction, values};
use sqlx::{AssertSqlSafe, Row};

use super::columns::COUNTS;

/// Gateways of one transaction.
const AT_A_TIME: i64 = 50;

const GONE: &str = "SELECT id FROM gateway WHERE is_folded = 0 \
    AND (heard_at < $1 OR (is_over = 1 AND heard_at < $2)) ORDER BY id LIMIT $3";

/// Moves what gateways counted into the totals that were last heard before `silent_since`, or that have said by
/// `over_since` that nothing follows. Returns how many there were. They stay known as folded, so that nothing
/// of them can count again.
pub(super) async fn fold(database: &Database, silent_since: i64, over_since: i64) -> Result<u64, StoreError> {
    // Mostly there is none, and nobody has to wait for that to be seen.
    let query = sqlx::query(GONE).bind(silent_since).bind(over_since).bind(1_i64);
    if query.fetch_optional(database.reader()).await?.is_none() {
        return Ok(0);
    }
    let mut tx = database.begin().await?;
    // A report that is being written holds its gateway: then it is looked at again once that is done.
    let statement = AssertSqlSafe(format!("{GONE}{}", database.for_update()));
    let query = sqlx::query(statement).bind(silent_since).bind(over_since).bind(AT_A_TIME);
    let gone = query.fetch_all(&mut *tx).await?;
    let gone = gone.iter().map(|row| Ok(row.try_get("id")?)).collect::<Result<Vec<String>, StoreError>>()?;
    if gone.is_empty() {
        return Ok(0);
    }
    let list = values::list(gone.len(), 1);
    for statement in [
        add_counts(&list),
        add_days(&list),
        format!("DELETE FROM traffic WHERE gateway IN ({list})"),
        format!("DELETE FROM traffic_day WHERE gateway IN ({list})"),
        format!("UPDATE gateway SET is_folded = 1 WHERE id IN ({list})"),
    ] {
        of_these(&mut tx, statement, &gone).await?;
    }
    tx.commit().await?;
    tracing::info!(gateways = gone.len(), "what gateways counted that are gone is part of the totals");
    Ok(gone.len() as u64)
}

/// Forgets gateways that were folded and last heard before then, and days before that one.
pub(super) async fn forget(database: &Database, heard_before: i64, day: i64) -> Result<(), StoreError> {
    let mut tx = database.begin().await?;
    for (statement, before) in [
        ("DELETE FROM gateway WHERE is_folded = 1 AND heard_at < $1", heard_before),
        ("DELETE FROM traffic_day WHERE day < $1", day),
        ("DELETE FROM total_day WHERE day < $1", day),
    ] {
        sqlx::query(statement).bind(before).execute(&mut *tx).await?;
    }
    tx.commit().await
}

fn add_counts(gateways: &str) -> String {
    let sums = COUNTS.map(|count| format!("CAST(SUM({count}) AS BIGINT)")).join(", ");
    let added = COUNTS.map(|count| format!("{count} = total.{count} + excluded.{count}")).join(", ");
    format!(
        "INSERT INTO total (endpoint, transport, {}) \
         SELECT endpoint, transport, {sums} FROM traffic WHERE gateway IN ({gateways}) \
         GROUP BY endpoint, transport ORDER BY endpoint, transport \
         ON CONFLICT (endpoint, transport) DO UPDATE SET {added}",
        COUNTS.join(", ")
    )
}

fn add_days(gateways: &str) -> String {
    format!(
        "INSERT INTO total_day (endpoint, transport, day, opened) \
         SELECT endpoint, transport, day, CAST(SUM(opened) AS BIGINT) FROM traffic_day \
         WHERE gateway IN ({gateways}) GROUP BY endpoint, transport, day ORDER BY endpoint, transport, day \
         ON CONFLICT (endpoint, transport, day) DO UPDATE SET opened = total_day.opened + excluded.opened"
    )
}

async fn of_these(tx: &mut Transaction, statement: String, gateways: &[String]) -> Result<(), StoreError> {
    let query = sqlx::query(AssertSqlSafe(statement)).persistent(false);
    gateways.iter().fold(query, |query, id| query.bind(id.clone())).execute(&mut **tx).await?;
    Ok(())
}
