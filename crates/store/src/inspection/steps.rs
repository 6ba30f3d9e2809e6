//! Which migrations were taken.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::{Step, StepState};
use crate::{
    Engine, Migration, StoreError,
    migration::{SERVICE_TABLE, STORE, STORE_TABLE, step},
};

/// A step that was taken: whether it ended, and its checksum.
type Taken = BTreeMap<i64, (bool, Vec<u8>)>;

/// The steps that this version knows, and the numbers of those that it doesn't.
pub(super) async fn look(
    connection: &mut AnyConnection,
    engine: Engine,
    service: &[Migration],
) -> Result<(Vec<Step>, Vec<i64>), StoreError> {
    let (mut steps, mut unknown) = (Vec::new(), Vec::new());
    for (of, table, migrations) in
        [("store", STORE_TABLE, STORE.as_slice()), ("service", SERVICE_TABLE, service)]
    {
        let mut taken = taken(connection, engine, table).await?;
        for migration in migrations {
            let state = state(taken.remove(&migration.version), &step(engine, migration).checksum);
            steps.push(Step { of, version: migration.version, name: migration.name, state });
        }
        unknown.extend(taken.into_keys());
    }
    Ok((steps, unknown))
}

fn state(taken: Option<(bool, Vec<u8>)>, checksum: &[u8]) -> StepState {
    match taken {
        None => StepState::Pending,
        Some((false, _)) => StepState::Failed,
        Some((true, of_it)) if of_it == checksum => StepState::Taken,
        Some(_) => StepState::Changed,
    }
}

async fn taken(
    connection: &mut AnyConnection,
    engine: Engine,
    table: &'static str,
) -> Result<Taken, StoreError> {
    let there = match engine {
        Engine::Postgres => "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
        Engine::Sqlite => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
    };
    if sqlx::query(there).bind(table).fetch_optional(&mut *connection).await?.is_none() {
        return Ok(Taken::new());
    }
    // A truth value can't be read of both engines.
    let sql =
        format!("SELECT version, CAST(CAST(success AS INTEGER) AS BIGINT) AS done, checksum FROM {table}");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    let of_row = |row: &sqlx::any::AnyRow| -> sqlx::Result<_> {
        let done: i64 = row.try_get("done")?;
        Ok((row.try_get("version")?, (done == 1, row.try_get("checksum")?)))
    };
    Ok(rows.iter().map(of_row).collect::<sqlx::Result<_>>()?)
}
