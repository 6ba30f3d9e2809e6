//! The tables of access rules.

use std::sync::Arc;

use carillon_store::{StoreError, Transaction, now};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    Area,
    rule::Rule,
    rules::{Rules, Stored},
};

/// A change of who may enter rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) version: i64,
    pub(super) area: Area,
    pub(super) prefix: String,
}

/// The version of the rules.
pub(super) async fn version(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let query = sqlx::query_scalar("SELECT version FROM access_version WHERE id = 1");
    Ok(query.fetch_one(connection).await?)
}

/// All rules. `connection`: a snapshot, or a transaction that has the lock.
pub(super) async fn load(
    connection: &mut AnyConnection,
    configured: &Arc<[Rule]>,
) -> Result<Rules, StoreError> {
    let version = version(connection).await?;
    let query = sqlx::query("SELECT id, area, prefix, allowed FROM access_rule ORDER BY area, prefix");
    let mut stored = Vec::new();
    for row in query.fetch_all(connection).await? {
        let rule = Rule::new(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        stored.push(Stored { id: row.try_get(0)?, rule: rule.map_err(StoreError::other)? });
    }
    Ok(Rules { version, configured: configured.clone(), stored })
}

/// Locks the rules until the transaction ends, and gives the version that they will have.
pub(super) async fn lock(tx: &mut Transaction) -> Result<i64, StoreError> {
    let statement = "UPDATE access_version SET version = version + 1 WHERE id = 1 RETURNING version";
    Ok(sqlx::query_scalar(statement).fetch_one(&mut **tx).await?)
}

/// Makes a rule, or changes the one of the same prefix. Gives its id.
pub(super) async fn put(tx: &mut Transaction, version: i64, rule: &Rule) -> Result<i64, StoreError> {
    let statement = "INSERT INTO access_rule (id, area, prefix, allowed) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (area, prefix) DO UPDATE SET allowed = excluded.allowed RETURNING id";
    let query = sqlx::query_scalar(statement).bind(version).bind(rule.area.as_str());
    Ok(query.bind(rule.prefix.as_str()).bind(rule.allow.to_string()).fetch_one(&mut **tx).await?)
}

/// Removes a rule.
pub(super) async fn remove(tx: &mut Transaction, id: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM access_rule WHERE id = $1").bind(id).execute(&mut **tx).await?;
    Ok(())
}

/// Has the rooms cleared that a change is about.
pub(super) async fn owe(tx: &mut Transaction, change: &Change) -> Result<(), StoreError> {
    let statement = "INSERT INTO access_change (version, area, prefix, cleared_at) VALUES ($1, $2, $3, 0)";
    let query = sqlx::query(statement).bind(change.version).bind(change.area.as_str());
    query.bind(change.prefix.as_str()).execute(&mut **tx).await?;
    Ok(())
}

/// Some changes whose rooms are yet to be cleared, the oldest first.
pub(super) async fn owed(connection: &mut AnyConnection) -> Result<Vec<Change>, StoreError> {
    let statement = "SELECT version, area, prefix FROM access_change WHERE cleared_at = 0 \
         ORDER BY version LIMIT 100";
    sqlx::query(statement).fetch_all(connection).await?.iter().map(change).collect()
}

/// The last changes whose rooms are cleared.
pub(super) async fn cleared(connection: &mut AnyConnection) -> Result<Vec<Change>, StoreError> {
    let statement = "SELECT version, area, prefix FROM access_change WHERE cleared_at > 0 \
         ORDER BY version DESC LIMIT 1000";
    sqlx::query(statement).fetch_all(connection).await?.iter().map(change).collect()
}

fn change(row: &AnyRow) -> Result<Change, StoreError> {
    let area = row.try_get::<String, _>(1)?.parse().map_err(StoreError::other)?;
    Ok(Change { version: row.try_get(0)?, area, prefix: row.try_get(2)? })
}

/// The rooms of a change are cleared. Changes whose rooms were cleared before a time are forgotten.
pub(super) async fn settle(tx: &mut Transaction, change: &Change, before: i64) -> Result<(), StoreError> {
    let query = sqlx::query("UPDATE access_change SET cleared_at = $1 WHERE version = $2");
    query.bind(now()).bind(change.version).execute(&mut **tx).await?;
    let query = sqlx::query("DELETE FROM access_change WHERE cleared_at > 0 AND cleared_at < $1");
    query.bind(before).execute(&mut **tx).await?;
    Ok(())
}
