//! The database handle of one service.

use std::{sync::Arc, time::Duration};

use carillon_contract::ServiceName;
use carillon_trace::{Span, TraceContext};
use sqlx::{AnyPool, ConnectOptions as _, any::AnyConnectOptions};
use url::Url;

use crate::{Engine, Migration, Snapshot, StoreError, Transaction, metrics::Metrics, postgres, span, sqlite};

/// A database that takes longer to answer a probe does not answer.
const PROBE: Duration = Duration::from_secs(2);

/// What a deployment may want to set.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseOptions {
    /// The most connections that one process holds to Postgres. (SQLite has one writer and four readers.)
    pub connections: u32,
}

impl Default for DatabaseOptions {
    /// Ten connections: with group commit two of them can keep a server busy.
    fn default() -> Self {
        Self { connections: 10 }
    }
}

/// One service's database: a Postgres schema or a SQLite file. Clones share it.
#[derive(Debug, Clone)]
pub struct Database(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    writer: AnyPool,
    reader: AnyPool,
    metrics: Metrics,
}

impl Database {
    /// Opens `sqlite:/path/file.db` or `postgres://…`, creates what is missing (the file, or the
    /// schema named after the service) and migrates: first the store's own tables, then the service's.
    ///
    /// # Errors
    /// An URL that is neither; a database that is unavailable; a migration that failed or was
    /// changed after it was taken.
    pub async fn open(
        url: &str,
        service: ServiceName,
        migrations: &'static [Migration],
    ) -> Result<Self, StoreError> {
        Self::open_with(url, service, migrations, DatabaseOptions::default()).await
    }

    /// [`open`](Self::open), with options.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_with(
        url: &str,
        service: ServiceName,
        migrations: &'static [Migration],
        options: DatabaseOptions,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        // The URL itself, which may hold a password, stays out of the error.
        let url: Url = url.parse().map_err(|error| StoreError::other(format!("database URL: {error}")))?;
        let engine = Engine::of(&url)?;
        let (writer, reader) = match engine {
            Engine::Postgres => {
                let connect = connect_options(&url)?;
                postgres::prepare(&connect, service, migrations).await?;
                let pool = postgres::pool(connect, service, options.connections.max(2));
                (pool.clone(), pool)
            }
            Engine::Sqlite => {
                let connect = connect_options(&creating(url))?;
                (sqlite::writer(connect.clone(), migrations).await?, sqlite::readers(connect))
            }
        };
        let metrics = Metrics::new(service).map_err(StoreError::other)?;
        Ok(Self(Arc::new(Inner { engine, writer, reader, metrics })))
    }

    /// Opens a database that a service has opened before, as it is: nothing is created or migrated. Whether it
    /// can be reached, and has the tables, its first statement tells.
    ///
    /// # Errors
    /// An URL that names no database.
    pub fn open_existing(url: &str, service: ServiceName) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let url: Url = url.parse().map_err(|error| StoreError::other(format!("database URL: {error}")))?;
        let engine = Engine::of(&url)?;
        let connect = connect_options(&url)?;
        let (writer, reader) = match engine {
            Engine::Postgres => {
                let pool = postgres::pool(connect, service, DatabaseOptions::default().connections);
                (pool.clone(), pool)
            }
            Engine::Sqlite => (sqlite::writing(connect.clone()), sqlite::readers(connect)),
        };
        Ok(Self(Arc::new(Inner {
            engine,
            writer,
            reader,
            metrics: Metrics::new(service).map_err(StoreError::other)?,
        })))
    }

    /// For statements that only read, each by itself. On SQLite writing here fails.
    pub fn reader(&self) -> &AnyPool {
        &self.0.reader
    }

    /// Starts a transaction that writes. On SQLite there is one at a time; the others wait.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database can't be reached or no connection gets free in time.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        self.begin_in(span::transaction(self, TraceContext::current().as_ref())).await
    }

    /// [`begin`](Self::begin), as a span that has begun.
    pub(crate) async fn begin_in(&self, mut span: Span) -> Result<Transaction, StoreError> {
        let begin = self.0.writer.begin_with(self.0.engine.begin());
        match self.0.metrics.beginning(begin).await {
            Ok(inner) => Ok(Transaction::new(inner, span)),
            Err(error) => {
                span::fail(&mut span, &error);
                Err(error)
            }
        }
    }

    /// One state of the database, for reads that belong together.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database can't be reached or no connection gets free in time.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let begin = self.0.reader.begin_with(self.0.engine.snapshot());
        Ok(Snapshot::new(self.0.metrics.beginning(begin).await?))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// If it doesn't.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(self.reader()).await?;
        Ok(())
    }

    /// The same, soon, for the metrics.
    pub(crate) async fn probe(&self) {
        let answered = tokio::time::timeout(PROBE, self.ping()).await;
        self.0.metrics.up.set(matches!(answered, Ok(Ok(()))).into());
    }

    /// The suffix of a SELECT in a transaction that locks the rows it finds.
    pub fn for_update(&self) -> &'static str {
        self.0.engine.for_update()
    }

    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        self.0.engine
    }

    /// Whose database it is.
    pub fn service(&self) -> ServiceName {
        self.0.metrics.service()
    }

    /// Adds this database's figures to a registry.
    ///
    /// # Errors
    /// If the registry has those of the same service already.
    pub fn register_metrics(&self, registry: &carillon_instruments::Registry) -> Result<(), StoreError> {
        self.0.metrics.register(registry, self.pools()).map_err(StoreError::other)
    }

    /// Waits for what runs, then closes every connection: the last thing before a process ends.
    pub async fn close(&self) {
        self.0.writer.close().await;
        self.0.reader.close().await;
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn pools(&self) -> Vec<(&'static str, AnyPool)> {
        match self.0.engine {
            Engine::Postgres => vec![("all", self.0.writer.clone())],
            Engine::Sqlite => vec![("writer", self.0.writer.clone()), ("reader", self.0.reader.clone())],
        }
    }
}

/// sqlx logs each statement at debug level; without the URL nothing of it is secret.
pub(crate) fn connect_options(url: &Url) -> Result<AnyConnectOptions, StoreError> {
    Ok(AnyConnectOptions::from_url(url)?)
}

/// A SQLite file is made if it is not there, unless the URL says otherwise.
fn creating(mut url: Url) -> Url {
    if !url.query_pairs().any(|(key, _)| key == "mode") {
        url.query_pairs_mut().append_pair("mode", "rwc");
    }
    url
}
