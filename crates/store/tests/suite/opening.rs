//! Opening a database: its schema, its epoch, its errors.

use carillon_contract::ServiceName;
use carillon_store::{Database, Engine, Log, StoreError};
use futures_util::future::join_all;
use sqlx::AssertSqlSafe;

use crate::{
    Fresh,
    fixture::{KEEP_ALL, execute, fill, history},
};

pub(crate) async fn an_epoch_stays(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    fill(&database, &log, "a", "x", 2).await;
    database.close().await;
    let (_database, again) = fresh.log().await;
    assert_eq!(again.epoch(), log.epoch());
    assert_eq!(history(&again, "a", 0, 10).await.head, 2);
    assert_eq!(again.epoch().len(), 8);
    assert!(again.epoch().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
}

/// What a restored log is given, without a service: the offsets go on, and the identity is another.
pub(crate) async fn an_epoch_can_be_renewed(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    fill(&database, &log, "a", "x", 2).await;
    assert_eq!(Log::epoch_in(&database).await.unwrap(), log.epoch());
    let renewed = Log::renew_epoch(&database).await.unwrap();
    assert_ne!(renewed, log.epoch());
    let (database, again) = fresh.log().await;
    assert_eq!(again.epoch(), renewed);
    assert_eq!(history(&again, "a", 0, 10).await.head, 2);
    execute(&database, "DELETE FROM log").await;
    assert!(Log::epoch_in(&database).await.is_err());
    assert!(Log::renew_epoch(&database).await.is_err(), "a log that nobody has opened is not made");
}

pub(crate) async fn two_databases_have_two_epochs(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    execute(&database, "DELETE FROM log").await;
    let another = Log::open(database, KEEP_ALL).await.unwrap();
    assert_ne!(another.epoch(), log.epoch());
}

pub(crate) async fn readers_cannot_write_on_sqlite(fresh: Fresh) {
    let database = fresh.open().await;
    database.ping().await.unwrap();
    let written = sqlx::query("DELETE FROM log").execute(database.reader()).await;
    assert_eq!(written.is_err(), database.engine() == Engine::Sqlite);
}

pub(crate) async fn a_conflict_is_told_from_a_mistake(fresh: Fresh) {
    let database = fresh.open().await;
    execute(&database, "INSERT INTO channel (name, head) VALUES ('x', 1)").await;
    let attempt = async |sql: &'static str| {
        let mut tx = database.begin().await.unwrap();
        StoreError::from(sqlx::query(sql).execute(&mut *tx).await.unwrap_err())
    };
    let conflict = attempt("INSERT INTO channel (name, head) VALUES ('x', 2)").await;
    assert!(matches!(conflict, StoreError::Conflict(_)), "{conflict:?}");
    for mistake in
        ["INSERT INTO channel (name) VALUES ('y')", "SELECT nonsense", "INSERT INTO log VALUES (2, 'x')"]
    {
        let error = attempt(mistake).await;
        assert!(matches!(error, StoreError::Other(_)), "{error:?}");
    }
    for url in ["mysql://x/y", "nonsense", ""] {
        let error = Database::open(url, ServiceName::Auth, &[]).await.unwrap_err();
        assert!(matches!(error, StoreError::Other(_)), "{error:?}");
    }
}

/// A read-modify-write under the lock loses no update.
pub(crate) async fn for_update_locks(fresh: Fresh) {
    let database = fresh.open().await;
    execute(&database, "INSERT INTO channel (name, head) VALUES ('x', 0)").await;
    let statement = format!("SELECT head FROM channel WHERE name = 'x'{}", database.for_update());
    let increment = async || {
        let mut tx = database.begin().await.unwrap();
        let head: i64 =
            sqlx::query_scalar(AssertSqlSafe(statement.clone())).fetch_one(&mut *tx).await.unwrap();
        sqlx::query("UPDATE channel SET head = $1").bind(head + 1).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    };
    join_all((0..20).map(|_| increment())).await;
    let head: i64 =
        sqlx::query_scalar("SELECT head FROM channel").fetch_one(database.reader()).await.unwrap();
    assert_eq!(head, 20);
}

pub(crate) async fn replicas_that_start_together_agree(fresh: Fresh) {
    let logs = join_all((0..8).map(|_| fresh.log())).await;
    let epochs: Vec<_> = logs.iter().map(|(_, log)| log.epoch().to_owned()).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
}

pub(crate) async fn each_service_has_its_schema(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let auth = Database::open(&fresh.url, ServiceName::Auth, &[]).await.unwrap();
    let auth_log = Log::open(auth.clone(), KEEP_ALL).await.unwrap();
    assert_ne!(auth_log.epoch(), log.epoch());
    fill(&database, &log, "a", "x", 2).await;
    assert_eq!(history(&auth_log, "a", 0, 10).await.head, 0);
    let schemas: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(table_schema AS TEXT) FROM information_schema.tables \
         WHERE table_name = 'event' ORDER BY table_schema",
    )
    .fetch_all(database.reader())
    .await
    .unwrap();
    assert_eq!(schemas, ["auth", "notification"]);
}
