//! Opening SQLite: one file for each service, one writer and a few readers.

use std::time::Duration;

use sqlx::{
    AnyConnection, AnyPool,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use crate::{Engine, Migration, StoreError, migration};

/// How long a caller waits for its turn to write.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Readers don't block, and are not blocked, in WAL mode; more would only cost memory.
const READERS: u32 = 4;

/// FULL: each commit is on the disk before it is acknowledged, so that not even a power cut
/// loses it; NORMAL would be safe only from the death of the process. A lone commit takes 2 to
/// 4 ms instead of 0.4 on an ordinary virtual disk; with group commit under load the two are
/// within a third of each other (6,500 to 9,000 events per second on a machine busy with other things).
const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864";

const READER: &str = "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON";

/// The pool of the one writer, with the file and its tables made if they are not there.
pub(crate) async fn writer(
    options: AnyConnectOptions,
    migrations: &[Migration],
) -> Result<AnyPool, StoreError> {
    let pool = writing(options);
    let mut connection = pool.acquire().await?;
    migration::migrate(&mut connection, Engine::Sqlite, migrations).await?;
    drop(connection);
    Ok(pool)
}

/// The pool of the one writer, with the file as it is.
pub(crate) fn writing(options: AnyConnectOptions) -> AnyPool {
    pool(1, WRITER).connect_lazy_with(options)
}

/// The pool of the readers, which can't write by mistake.
pub(crate) fn readers(options: AnyConnectOptions) -> AnyPool {
    pool(READERS, READER).connect_lazy_with(options)
}

/// Connections to a file don't die, so they are neither checked nor replaced.
fn pool(connections: u32, pragmas: &'static str) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .acquire_slow_threshold(ACQUIRE_TIMEOUT * 2)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| Box::pin(set(connection, pragmas)))
}

async fn set(connection: &mut AnyConnection, pragmas: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(pragmas).execute(connection).await?;
    Ok(())
}
