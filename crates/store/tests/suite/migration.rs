//! Migrations of a service.

use carillon_contract::ServiceName;
use carillon_store::{Database, Migration, StoreError};

use crate::{Fresh, fixture::execute};

const FIRST: Migration = Migration {
    version: 1,
    name: "thing",
    sql: "CREATE TABLE thing (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, size DOUBLE PRECISION NOT NULL, \
          content BYTES NOT NULL, note TEXT, is_new BIGINT NOT NULL DEFAULT 1);\
          CREATE INDEX thing_name ON thing (name);",
};
const SECOND: Migration = Migration {
    version: 2,
    name: "colour",
    sql: "ALTER TABLE thing ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",
};
const CHANGED: Migration = Migration { version: 1, name: "thing", sql: "CREATE TABLE other (id BIGINT)" };
const BROKEN: Migration = Migration {
    version: 3,
    name: "broken",
    sql: "CREATE TABLE half (id BIGINT); CREATE TABLE thing (id BIGINT);",
};

/// Every type of column that both engines have through `Any`.
pub(crate) async fn a_service_has_its_own_tables(fresh: Fresh) {
    fresh.open_with(&[FIRST]).await.close().await;
    let database = fresh.open_with(&[FIRST, SECOND]).await;
    let mut tx = database.begin().await.unwrap();
    sqlx::query("INSERT INTO thing (id, name, size, content, note) VALUES ($1, $2, $3, $4, $5)")
        .bind(i64::MAX)
        .bind("é")
        .bind(0.5)
        .bind(vec![0_u8, 255])
        .bind(None::<String>)
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    type Row = (i64, String, f64, Vec<u8>, Option<String>, i64, String);
    let row: Row =
        sqlx::query_as("SELECT id, name, size, content, note, is_new, colour FROM thing WHERE id = $1")
            .bind(i64::MAX)
            .fetch_one(database.reader())
            .await
            .unwrap();
    assert_eq!(row, (i64::MAX, "é".into(), 0.5, vec![0, 255], None, 1, "red".into()));
    let sum: i64 = sqlx::query_scalar("SELECT CAST(COALESCE(SUM(is_new), 0) AS BIGINT) FROM thing")
        .fetch_one(database.reader())
        .await
        .unwrap();
    assert_eq!(sum, 1);
}

pub(crate) async fn a_changed_migration_is_refused(fresh: Fresh) {
    fresh.open_with(&[FIRST]).await;
    let error = Database::open(&fresh.url, ServiceName::Notification, &[CHANGED]).await.unwrap_err();
    assert!(matches!(error, StoreError::Other(_)), "{error:?}");
}

pub(crate) async fn an_older_program_works_on_newer_tables(fresh: Fresh) {
    fresh.open_with(&[FIRST, SECOND]).await;
    let database = fresh.open_with(&[FIRST]).await;
    execute(&database, "DELETE FROM thing").await;
}

pub(crate) async fn a_failed_migration_leaves_nothing(fresh: Fresh) {
    let migrations = &[FIRST, SECOND, BROKEN];
    let error = Database::open(&fresh.url, ServiceName::Notification, migrations).await.unwrap_err();
    assert!(error.to_string().contains("migration 3"), "{error}");
    let database = fresh.open_with(&[FIRST, SECOND]).await;
    // Neither the half that worked is there, nor what would keep the next attempt from being made.
    execute(&database, "CREATE TABLE half (id BIGINT)").await;
}
