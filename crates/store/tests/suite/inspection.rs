//! What an operator is told of a database, which is left as it was.

use carillon_contract::ServiceName;
use carillon_store::{Database, Engine, Inspection, Migration, StepState};
use sqlx::AssertSqlSafe;

use crate::{Fresh, fixture::execute};

const ONE: Migration = Migration { version: 1, name: "things", sql: "CREATE TABLE thing (id BIGINT)" };
const OTHER: Migration = Migration { sql: "CREATE TABLE thing (id BIGINT, name TEXT)", ..ONE };
const TWO: Migration = Migration { version: 2, name: "more", sql: "CREATE TABLE more (id BIGINT)" };

async fn looked(fresh: &Fresh, migrations: &[Migration]) -> Inspection {
    Inspection::of(&fresh.url, ServiceName::Notification, migrations).await.expect("looked at")
}

pub(crate) async fn steps_are_taken_pending_changed_or_unknown(fresh: Fresh) {
    let database = fresh.open_with(&[ONE, TWO]).await;
    let found = looked(&fresh, &[ONE, TWO]).await;
    assert!(found.steps.iter().all(|step| step.state == StepState::Taken), "{found:?}");
    let of_service = found.steps.iter().filter(|step| step.of == "service").count();
    assert_eq!((of_service, found.unknown_steps.len(), found.read_only), (2, 0, None));

    let found = looked(&fresh, &[OTHER, TWO]).await;
    let changed: Vec<i64> = found.steps_in(StepState::Changed).iter().map(|step| step.version).collect();
    assert_eq!(changed, [1]);
    assert_eq!(looked(&fresh, &[ONE]).await.unknown_steps, [2]);

    execute(&database, "DELETE FROM service_migration WHERE version = 2").await;
    let found = looked(&fresh, &[ONE, TWO]).await;
    let pending: Vec<&str> = found.steps_in(StepState::Pending).iter().map(|step| step.name).collect();
    assert_eq!(pending, ["more"]);
    execute(&database, "UPDATE store_migration SET success = NOT success WHERE version = 1").await;
    let found = looked(&fresh, &[ONE]).await;
    assert_eq!(found.steps_in(StepState::Failed).len(), 1);
}

pub(crate) async fn the_engine_is_described(fresh: Fresh) {
    let database = fresh.open().await;
    let found = looked(&fresh, &[]).await;
    assert_eq!(found.engine, database.engine());
    assert!(found.major >= 3 && found.encoding.starts_with("UTF"), "{found:?}");
    match found.engine {
        Engine::Sqlite => {
            assert_eq!(found.journal.as_deref(), Some("wal"));
            assert!(found.file.is_some_and(|file| file.is_file()) && found.limits.is_none());
        }
        Engine::Postgres => {
            let limits = found.limits.expect("limits");
            assert!(limits.used >= 1 && limits.allowed > limits.used, "{limits:?}");
            // It is on this machine, whose clock it reads.
            assert!(found.local && found.clock_ahead.is_some_and(|ahead| ahead.abs() < 1_000_000));
            assert_eq!(found.encrypted, Some(false));
        }
    }
}

pub(crate) async fn nothing_is_made(fresh: Fresh) {
    let database = Database::open_existing(&fresh.url, ServiceName::Notification).expect("a URL");
    match Inspection::of(&fresh.url, ServiceName::Notification, &[ONE]).await {
        // A file that isn't there.
        Err(_) => assert!(database.ping().await.is_err()),
        Ok(found) => {
            assert!(found.steps.iter().all(|step| step.state == StepState::Pending), "{found:?}");
            let schemas = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_namespace WHERE nspname = 'notification'";
            let schemas: i64 = sqlx::query_scalar(AssertSqlSafe(schemas.to_owned()))
                .fetch_one(database.reader())
                .await
                .expect("counted");
            assert_eq!(schemas, 0);
        }
    }
}
