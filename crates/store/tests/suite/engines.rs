//! A fresh database for each test.

use std::sync::{
    OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use carillon_contract::ServiceName;
use carillon_store::{Database, Engine, Log, Migration, Retention};
use tempfile::TempDir;

use crate::{fixture::KEEP_ALL, postgres::Postgres};

pub(crate) const BOTH: &[Engine] = &[Engine::Sqlite, Engine::Postgres];
pub(crate) const POSTGRES: &[Engine] = &[Engine::Postgres];

/// The server that tests share, started by the first that needs it.
#[derive(Default)]
pub(crate) struct Engines {
    postgres: OnceLock<Postgres>,
    databases: AtomicUsize,
}

impl Engines {
    pub(crate) async fn fresh(&self, engine: Engine) -> Fresh {
        let directory = tempfile::tempdir().expect("a directory");
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}/store.db", directory.path().display()),
            Engine::Postgres => {
                let server = self.postgres.get_or_init(|| Postgres::start(false));
                let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
                server.create_database(&name);
                server.url(&name)
            }
        };
        Fresh { url, _directory: directory }
    }
}

/// A database that nobody has opened yet.
pub(crate) struct Fresh {
    pub(crate) url: String,
    _directory: TempDir,
}

impl Fresh {
    pub(crate) async fn open(&self) -> Database {
        self.open_with(&[]).await
    }

    pub(crate) async fn open_with(&self, migrations: &'static [Migration]) -> Database {
        Database::open(&self.url, ServiceName::Notification, migrations).await.expect("the database opens")
    }

    pub(crate) async fn log(&self) -> (Database, Log) {
        self.log_with(KEEP_ALL).await
    }

    pub(crate) async fn log_with(&self, retention: Retention) -> (Database, Log) {
        let database = self.open().await;
        let log = Log::open(database.clone(), retention).await.expect("the log opens");
        (database, log)
    }
}
