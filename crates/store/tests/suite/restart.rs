//! A Postgres server that goes away and comes back.

use std::time::Duration;

use carillon_contract::{ServiceName, messages::HistoryRequest};
use carillon_store::{Database, Log, StoreError};
use futures_util::future::join_all;

use crate::{
    Fresh,
    fixture::{KEEP_ALL, all_events, append, event, history, offsets, until},
    group_commit::group_commit,
    postgres::Postgres,
};

/// The shared server stays: these tests have their own.
async fn own_server(durable: bool) -> (Postgres, Database, Log) {
    let server = Postgres::start(durable);
    let url = server.url("postgres");
    let database = Database::open(&url, ServiceName::Notification, &[]).await.unwrap();
    let log = Log::open(database.clone(), KEEP_ALL).await.unwrap();
    (server, database, log)
}

fn assert_unavailable<T: std::fmt::Debug>(outcome: Result<T, StoreError>) {
    assert!(outcome.as_ref().is_err_and(StoreError::is_unavailable), "{outcome:?}");
}

pub(crate) async fn a_restarted_server_is_used_again(_: Fresh) {
    let (mut server, database, log) = own_server(false).await;
    let (writes, _) = group_commit(&database, &log);
    // Every connection of the pool has been used, and dies with the server.
    join_all(
        (0..40)
            .map(async |number| append(&database, &log, &[event("a", &number.to_string())]).await.unwrap()),
    )
    .await;
    let mut interrupted = database.begin().await.unwrap();
    log.append(&mut interrupted, &[event("a", "interrupted")]).await.unwrap();
    server.stop();
    assert_unavailable(interrupted.commit().await);
    assert_unavailable(database.ping().await);
    assert_unavailable(database.begin().await);
    assert_unavailable(writes.submit("refused".into()).await);
    let request = HistoryRequest { channel: "user.a".into(), after: 0, limit: 1 };
    assert_unavailable(log.history(&request).await);
    let url = server.url("postgres");
    assert_unavailable(Database::open(&url, ServiceName::Notification, &[]).await);
    server.start_again();
    until("reached again", async || database.ping().await.is_ok()).await;
    // From now on nothing fails: dead connections are found before they are used.
    let outcomes = join_all((0..20).map(|number| writes.submit(format!("again {number}")))).await;
    outcomes.into_iter().for_each(|outcome| assert!(outcome.is_ok(), "{outcome:?}"));
    for number in 0..20 {
        append(&database, &log, &[event("a", &format!("singly {number}"))]).await.unwrap();
    }
    assert_eq!(offsets(&all_events(&log, "a").await), (1..=80).collect::<Vec<_>>());
}

/// The server is ended at once in the middle of writing, three times.
pub(crate) async fn a_killed_server_loses_nothing_acknowledged(_: Fresh) {
    let (mut server, database, log) = own_server(true).await;
    let (writes, _) = group_commit(&database, &log);
    for round in 0..3 {
        let write = async |number: usize| {
            let cause = format!("{round}-{number}");
            // Again and again under its cause, until it is acknowledged.
            loop {
                match writes.submit(cause.clone()).await {
                    Ok(offset) => return offset,
                    Err(error) => assert!(error.is_unavailable(), "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let interrupt = async {
            let before = round * 400 + 50;
            until("in the middle", async || history(&log, "a", 0, 0).await.head >= before).await;
            tokio::task::block_in_place(|| {
                server.stop();
                server.start_again();
            });
        };
        let writing = async {
            let mut acknowledged = Vec::new();
            for start in (0..400).step_by(40) {
                acknowledged.extend(join_all((start..start + 40).map(write)).await);
            }
            acknowledged
        };
        let (mut acknowledged, ()) = tokio::join!(writing, interrupt);
        acknowledged.sort_unstable();
        assert_eq!(acknowledged, (round * 400 + 1..=round * 400 + 400).collect::<Vec<_>>());
    }
    assert_eq!(offsets(&all_events(&log, "a").await), (1..=1_200).collect::<Vec<_>>());
}
