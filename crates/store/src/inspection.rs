//! What an operator wants to know of a service's database, found out without changing it.

mod postgres;
mod sqlite;
mod steps;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use carillon_contract::ServiceName;
use sqlx::{AnyConnection, AssertSqlSafe, ConnectOptions as _, Connection as _, Row};
use url::Url;

use crate::{Engine, Migration, StoreError, database::connect_options};

/// A database as it is.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// Which engine it is.
    pub engine: Engine,
    /// The engine's version, as it says it.
    pub version: String,
    /// The version's first number.
    pub major: u32,
    /// How texts are encoded.
    pub encoding: String,
    /// How long connecting took.
    pub connected: Duration,
    /// How long a statement took that asks for nothing.
    pub round_trip: Duration,
    /// How far its clock is ahead of ours, in microseconds. `None` where it has none of its own.
    pub clock_ahead: Option<i64>,
    /// The steps that this version knows, and what has become of each.
    pub steps: Vec<Step>,
    /// Steps that were taken, and that this version does not know.
    pub unknown_steps: Vec<i64>,
    /// Why nothing can be written, if so.
    pub read_only: Option<String>,
    /// Whether the connection is encrypted. `None` where there is none.
    pub encrypted: Option<bool>,
    /// Whether it is on this machine.
    pub local: bool,
    /// How many connections Postgres allows.
    pub limits: Option<Limits>,
    /// SQLite's journal: `wal` once a service has opened the file.
    pub journal: Option<String>,
    /// SQLite's file.
    pub file: Option<PathBuf>,
}

/// How many connections a Postgres server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many there may be, but for those kept for the administrator.
    pub allowed: i64,
    /// How many there are.
    pub used: i64,
}

/// A migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Whose it is: `store` or `service`.
    pub of: &'static str,
    /// Its number.
    pub version: i64,
    /// What it does.
    pub name: &'static str,
    /// What has become of it.
    pub state: StepState,
}

/// What has become of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It was taken.
    Taken,
    /// It wasn't yet: the service takes it when it starts.
    Pending,
    /// It began, and did not end.
    Failed,
    /// What was taken had another text.
    Changed,
}

impl Inspection {
    /// Looks at a service's database. A schema or a file that isn't there is not made: then all steps are pending.
    ///
    /// # Errors
    /// A database that can't be reached.
    pub async fn of(url: &str, service: ServiceName, migrations: &[Migration]) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        // The URL itself, which may hold a password, stays out of the error.
        let url: Url = url.parse().map_err(|error| StoreError::other(format!("database URL: {error}")))?;
        let engine = Engine::of(&url)?;
        let begun = Instant::now();
        let mut connection = connect_options(&url)?.connect().await?;
        let connected = begun.elapsed();
        let mut found = Self::unknown(engine, connected);
        found.round_trip = round_trip(&mut connection).await?;
        match engine {
            Engine::Postgres => postgres::look(&mut connection, service, &url, &mut found).await?,
            Engine::Sqlite => sqlite::look(&mut connection, &url, &mut found).await?,
        }
        (found.steps, found.unknown_steps) = steps::look(&mut connection, engine, migrations).await?;
        found.read_only = written(&mut connection, engine, &found.steps).await;
        // Whatever it says, nothing depends on it.
        let _ = connection.close().await;
        Ok(found)
    }

    /// The steps of this state.
    pub fn steps_in(&self, state: StepState) -> Vec<&Step> {
        self.steps.iter().filter(|step| step.state == state).collect()
    }

    fn unknown(engine: Engine, connected: Duration) -> Self {
        Self {
            engine,
            version: String::new(),
            major: 0,
            encoding: String::new(),
            connected,
            round_trip: Duration::ZERO,
            clock_ahead: None,
            steps: Vec::new(),
            unknown_steps: Vec::new(),
            read_only: None,
            encrypted: None,
            local: true,
            limits: None,
            journal: None,
            file: None,
        }
    }
}

async fn round_trip(connection: &mut AnyConnection) -> Result<Duration, StoreError> {
    let begun = Instant::now();
    sqlx::raw_sql("SELECT 1").execute(connection).await?;
    Ok(begun.elapsed())
}

/// Tries to write, and takes it back. `None` if that went well, or there is no table yet to write to.
async fn written(connection: &mut AnyConnection, engine: Engine, steps: &[Step]) -> Option<String> {
    if steps.iter().all(|step| step.state == StepState::Pending) {
        return None;
    }
    let change = format!("{}; UPDATE log SET epoch = epoch", engine.begin());
    let outcome = sqlx::raw_sql(AssertSqlSafe(change)).execute(&mut *connection).await;
    let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
    outcome.err().map(|error| error.to_string())
}

async fn text(connection: &mut AnyConnection, sql: &'static str) -> Result<String, StoreError> {
    Ok(sqlx::query(sql).fetch_one(connection).await?.try_get(0)?)
}

async fn number(connection: &mut AnyConnection, sql: &'static str) -> Result<i64, StoreError> {
    Ok(sqlx::query(sql).fetch_one(connection).await?.try_get(0)?)
}
