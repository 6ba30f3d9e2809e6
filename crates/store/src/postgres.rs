//! Opening Postgres: a schema and a pool for each service.

use std::time::Duration;

use carillon_contract::ServiceName;
use sqlx::{
    AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions as _, Connection as _,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use crate::{Engine, Migration, StoreError, migration};

/// How long a caller waits for a connection before it is told that there is none: less than the two
/// seconds that a request on the bus may take, so that its answer says why.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1_200);

/// Bounds on what a statement, a lock and a vanished client can hold up, where the
/// administrator has set none (for the role, the database, or in the URL's `options`).
const TIMEOUTS: &str = "SELECT set_config(name, value, false) \
     FROM (VALUES ('statement_timeout', '10s'), ('lock_timeout', '5s'), \
     ('idle_in_transaction_session_timeout', '10s')) AS wanted (name, value) \
     WHERE current_setting(name) = '0'";

/// Creates the schema, named after the service, and its tables, if they are not there.
pub(crate) async fn prepare(
    options: &AnyConnectOptions,
    service: ServiceName,
    migrations: &[Migration],
) -> Result<(), StoreError> {
    let mut connection = options.connect().await?;
    create_schema(&mut connection, service).await?;
    enter_schema(&mut connection, service).await?;
    // A migration may take longer than any statement of a request.
    sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = 0").execute(&mut connection).await?;
    migration::migrate(&mut connection, Engine::Postgres, migrations).await?;
    Ok(connection.close().await?)
}

/// A pool whose connections are in the service's schema, checked before each use: a connection
/// that a restarted server has forgotten is replaced without anyone noticing.
pub(crate) fn pool(options: AnyConnectOptions, service: ServiceName, connections: u32) -> AnyPool {
    AnyPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A wait that long ends in an error, which is reported once, by who gets it.
        .acquire_slow_threshold(ACQUIRE_TIMEOUT * 2)
        .after_connect(move |connection, _| {
            Box::pin(async move {
                enter_schema(connection, service).await?;
                sqlx::raw_sql(TIMEOUTS).execute(connection).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options)
}

/// Asks first: who may not create schemas may still use one that the administrator has made.
/// Another replica may be as fast; then it's there as well.
async fn create_schema(connection: &mut AnyConnection, service: ServiceName) -> Result<(), StoreError> {
    let found = sqlx::query("SELECT 1 FROM pg_namespace WHERE CAST(nspname AS TEXT) = $1")
        .bind(service.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    if found.is_some() {
        return Ok(());
    }
    let statement = format!("CREATE SCHEMA IF NOT EXISTS \"{service}\"");
    match sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await.map_err(StoreError::from) {
        Ok(_) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn enter_schema(connection: &mut AnyConnection, service: ServiceName) -> Result<(), sqlx::Error> {
    let statement = format!("SET search_path TO \"{service}\"");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}
