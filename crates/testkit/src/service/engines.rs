//! A fresh database for each test.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::OnceCell};

use crate::{Durability, Postgres};

/// A database engine that services run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in a private directory.
    Sqlite,
    /// A database of a real server.
    Postgres,
}

/// For tests of what every engine does.
pub const BOTH: &[Engine] = &[Engine::Sqlite, Engine::Postgres];
/// For tests of what takes several replicas, or a server.
pub const POSTGRES: &[Engine] = &[Engine::Postgres];

impl Engine {
    /// The engine's name in those of trials.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// The server that tests share, started by the first that needs it, on a runtime that outlives each test's.
#[derive(Debug)]
pub struct Engines {
    runtime: Runtime,
    postgres: OnceCell<Postgres>,
    databases: AtomicUsize,
}

impl Default for Engines {
    fn default() -> Self {
        Self {
            runtime: Runtime::new().expect("a runtime"),
            postgres: OnceCell::new(),
            databases: AtomicUsize::new(1),
        }
    }
}

impl Engines {
    /// A new, empty database.
    ///
    /// # Panics
    /// If there can't be one: then no test can run.
    pub async fn fresh(self: &Arc<Self>, engine: Engine) -> Place {
        match engine {
            Engine::Sqlite => {
                let directory = tempfile::tempdir().expect("a directory");
                let url = format!("sqlite:{}/service.db", directory.path().display());
                Place { url, _directory: Some(directory) }
            }
            Engine::Postgres => Place { url: self.new_database().await, _directory: None },
        }
    }

    async fn new_database(&self) -> String {
        let server = self.postgres.get_or_init(|| async {
            let started = self.runtime.spawn(Postgres::start(Durability::Process));
            started.await.expect("no panic").expect("Postgres starts")
        });
        let server_url = server.await.url();
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&server_url).await.expect("a connection");
        let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&mut connection).await.expect("a database");
        format!("{}/{name}", server_url.trim_end_matches("/postgres"))
    }
}

/// Where a test's database is.
#[derive(Debug)]
pub struct Place {
    /// Its URL, as `--database-url` takes it.
    pub url: String,
    _directory: Option<TempDir>,
}

impl Place {
    /// A database that the test itself looks after.
    pub fn at(url: String) -> Self {
        Self { url, _directory: None }
    }
}
