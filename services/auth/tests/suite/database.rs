//! A fresh database for each scenario.

use std::sync::atomic::{AtomicUsize, Ordering};

use carillon_store::Engine;
use carillon_testkit::{Durability, Postgres};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The server that scenarios share, started by the first that needs it.
#[derive(Default)]
pub(crate) struct Databases {
    postgres: OnceCell<Postgres>,
    count: AtomicUsize,
}

/// A database that nobody has opened yet.
pub(crate) struct Fresh {
    pub(crate) url: String,
    pub(crate) directory: TempDir,
}

impl Databases {
    pub(crate) async fn fresh(&self, engine: Engine) -> Fresh {
        let directory = tempfile::tempdir().expect("a directory");
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}/auth.db", directory.path().display()),
            Engine::Postgres => self.postgres_database().await,
        };
        Fresh { url, directory }
    }

    async fn postgres_database(&self) -> String {
        let server = self.postgres.get_or_try_init(|| Postgres::start(Durability::Process)).await;
        let url = server.expect("Postgres starts").url();
        let name = format!("scenario_{}", self.count.fetch_add(1, Ordering::Relaxed));
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&url).await.expect("a connection");
        let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(sql).execute(&mut connection).await.expect("a database");
        let (server, _) = url.rsplit_once('/').expect("a database in the URL");
        format!("{server}/{name}")
    }
}
