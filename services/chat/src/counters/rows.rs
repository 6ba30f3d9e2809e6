//! The tables of counters.

use std::collections::{BTreeMap, HashMap};

use carillon_store::{StoreError, Transaction, now, values};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{
    fold::{Counter, Known},
    update::{Action, Change, Update},
};

/// A counter's value. One that nobody has changed is 0.
pub(super) async fn value(connection: &mut AnyConnection, name: &str) -> Result<i64, StoreError> {
    let query = sqlx::query("SELECT value FROM counter WHERE name = $1").bind(name);
    query.fetch_optional(connection).await?.map_or(Ok(0), |row| Ok(row.try_get(0)?))
}

/// Locks the counters of updates, in order, and takes a number for each update. Those that are new
/// are made.
pub(super) async fn lock<'a>(
    tx: &mut Transaction,
    updates: &[&'a Update],
) -> Result<BTreeMap<&'a str, Counter>, StoreError> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for update in updates {
        *counts.entry(&update.counter).or_default() += 1;
    }
    let rows: Vec<_> = counts.iter().map(|(name, count)| (*name, 0, *count)).collect();
    let written = write(tx, &rows, "updates = counter.updates + excluded.updates").await?;
    let locked = |(name, count): (&'a str, i64)| {
        let (value, updates) = written.get(name).copied().unwrap_or((0, count));
        (name, Counter { value, number: updates - count, changed: false })
    };
    Ok(counts.into_iter().map(locked).collect())
}

/// Writes the values of locked counters that have changed.
pub(super) async fn save(tx: &mut Transaction, counters: &BTreeMap<&str, Counter>) -> Result<(), StoreError> {
    let changed = counters.iter().filter(|(_, counter)| counter.changed);
    let rows: Vec<_> = changed.map(|(name, counter)| (*name, counter.value, 0)).collect();
    write(tx, &rows, "value = excluded.value").await?;
    Ok(())
}

/// Writes rows of name, value and updates, and says what their values and updates are now.
async fn write(
    tx: &mut Transaction,
    rows: &[(&str, i64, i64)],
    change: &'static str,
) -> Result<HashMap<String, (i64, i64)>, StoreError> {
    let mut written = HashMap::new();
    for rows in rows.chunks(values::MAX_ROWS) {
        let statement = format!(
            "INSERT INTO counter (name, value, updates) VALUES {} \
             ON CONFLICT (name) DO UPDATE SET {change} RETURNING name, value, updates",
            values::rows(rows.len(), 3)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(rows.len()));
        let query = rows
            .iter()
            .fold(query, |query, (name, value, updates)| query.bind(*name).bind(*value).bind(*updates));
        for row in query.fetch_all(&mut **tx).await? {
            written.insert(row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
        }
    }
    Ok(written)
}

/// Which updates of locked counters were made before, in their order. With its counter locked
/// nobody else can make one meanwhile: what is not found now is new.
pub(super) async fn known(
    tx: &mut Transaction,
    updates: &[&Update],
) -> Result<Vec<Option<Known>>, StoreError> {
    let mut found = HashMap::new();
    for updates in updates.chunks(values::MAX_ROWS) {
        let statement = format!(
            "SELECT made.counter, made.cause, made.action, made.value, made.total, made.position \
             FROM (VALUES {}) AS wanted JOIN counter_update AS made \
             ON made.counter = wanted.column1 AND made.cause = wanted.column2",
            values::rows(updates.len(), 2)
        );
        let query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(updates.len()));
        let query = updates
            .iter()
            .fold(query, |query, update| query.bind(update.counter.as_str()).bind(update.cause.as_str()));
        for row in query.fetch_all(&mut **tx).await? {
            let action = Action::parse(row.try_get(2)?);
            let action = action.ok_or_else(|| StoreError::other("an update with an unknown action"))?;
            let change = Change { action, value: row.try_get(3)? };
            let known = Known { change, total: row.try_get(4)?, position: row.try_get(5)? };
            found.insert((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?), known);
        }
    }
    let known = |update: &&Update| found.get(&(update.counter.clone(), update.cause.clone())).copied();
    Ok(updates.iter().map(known).collect())
}

/// Remembers updates that are made: each with the counter's total after it, and its event's offset.
pub(super) async fn remember(tx: &mut Transaction, made: &[(&Update, i64, i64)]) -> Result<(), StoreError> {
    for made in made.chunks(values::MAX_ROWS) {
        let statement = format!(
            "INSERT INTO counter_update (counter, cause, action, value, total, position, forget_at) VALUES {}",
            values::rows(made.len(), 7)
        );
        let mut query = sqlx::query(AssertSqlSafe(statement)).persistent(values::is_kept(made.len()));
        for (update, total, position) in made {
            let Change { action, value } = update.change;
            query = query.bind(update.counter.as_str()).bind(update.cause.as_str()).bind(action.as_str());
            query = query.bind(value).bind(*total).bind(*position).bind(now() + update.repeatable);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Forgets some updates that nobody repeats any more. Tells how many.
pub(super) async fn forget(tx: &mut Transaction, at_a_time: i64) -> Result<u64, StoreError> {
    let statement = "DELETE FROM counter_update WHERE (counter, cause) IN \
         (SELECT counter, cause FROM counter_update WHERE forget_at < $1 LIMIT $2)";
    let query = sqlx::query(statement).bind(now()).bind(at_a_time);
    Ok(query.execute(&mut **tx).await?.rows_affected())
}
