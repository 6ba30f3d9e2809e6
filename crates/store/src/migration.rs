//! Migrations: the store's own, and the service's, each with its own table and numbers.

use sqlx::{
    AnyConnection, AssertSqlSafe, SqlSafeStr as _,
    migrate::{MigrationType, Migrator},
};

use crate::{Engine, StoreError};

/// One step from an empty database to what the program expects. Never changed once released.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// Its number: steps are taken in this order. Services count from 1; the store's own steps don't matter.
    pub version: i64,
    /// What it does, in a word or two.
    pub name: &'static str,
    /// Statements in the SQL that both engines know; `BYTES` is the type of a column of bytes.
    pub sql: &'static str,
}

/// The store's own, and where it is noted which of them were taken.
pub(crate) const STORE_TABLE: &str = "store_migration";
/// The same for the service's.
pub(crate) const SERVICE_TABLE: &str = "service_migration";

pub(crate) const STORE: [Migration; 3] = [
    Migration { version: 1, name: "event_log", sql: include_str!("../migrations/0001_event_log.sql") },
    Migration { version: 2, name: "outbox", sql: include_str!("../migrations/0002_outbox.sql") },
    Migration { version: 3, name: "outbox trace", sql: include_str!("../migrations/0003_outbox_trace.sql") },
];

/// Takes the steps that were not taken yet. Replicas that start together take turns.
pub(crate) async fn migrate(
    connection: &mut AnyConnection,
    engine: Engine,
    service: &[Migration],
) -> Result<(), StoreError> {
    run(connection, engine, STORE_TABLE, &STORE).await?;
    run(connection, engine, SERVICE_TABLE, service).await
}

async fn run(
    connection: &mut AnyConnection,
    engine: Engine,
    table: &'static str,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let steps = migrations.iter().map(|migration| step(engine, migration)).collect();
    let mut migrator = Migrator::with_migrations(steps);
    migrator.dangerous_set_table_name(table);
    // During a rolling update, or after a step back, an older replica meets newer tables.
    migrator.set_ignore_missing(true);
    Ok(migrator.run_direct(None, connection, false).await?)
}

/// A step with its statements as this engine knows them, and their checksum.
pub(crate) fn step(engine: Engine, migration: &Migration) -> sqlx::migrate::Migration {
    let sql = AssertSqlSafe(with_bytes_type(migration.sql, engine.bytes_type())).into_sql_str();
    sqlx::migrate::Migration::new(migration.version, migration.name.into(), MigrationType::Simple, sql, false)
}

/// Replaces the word `BYTES`, and leaves words that merely contain it.
fn with_bytes_type(sql: &str, bytes_type: &str) -> String {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut text = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(start) = rest.find("BYTES") {
        let (before, after) = (&rest[..start], &rest[start + "BYTES".len()..]);
        let apart = !before.ends_with(is_word) && !after.starts_with(is_word);
        text.push_str(before);
        text.push_str(if apart { bytes_type } else { "BYTES" });
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_word_is_a_type() {
        let sql = "BYTES a BYTES, MAX_BYTES x, b BYTES);BYTES2";
        assert_eq!(with_bytes_type(sql, "BLOB"), "BLOB a BLOB, MAX_BYTES x, b BLOB);BYTES2");
    }
}
