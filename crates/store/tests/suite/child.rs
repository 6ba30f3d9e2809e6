//! What this binary does when a test has started it as a second process.

use std::{env, io::Write as _};

use carillon_contract::ServiceName;
use carillon_store::{Database, Log};
use futures_util::future::join_all;

use crate::{
    fixture::{KEEP_ALL, append, event},
    group_commit::group_commit,
};

/// The variables by which a child knows that it is one, and where it works.
pub(crate) const ROLE: &str = "CARILLON_STORE_TEST_CHILD";
pub(crate) const URL: &str = "CARILLON_STORE_TEST_URL";

pub(crate) async fn run(name: String) {
    let url = env::var(URL).expect("a database");
    let database = Database::open(&url, ServiceName::Notification, &[]).await.expect("the database opens");
    let log = Log::open(database.clone(), KEEP_ALL).await.expect("the log opens");
    match env::args().nth(1).as_deref() {
        Some("once") => write_once(&database, &log, &name).await,
        _ => write_on(&database, &log, &name).await,
    }
}

/// Three hundred events, half of them in transactions of their own and half by group commit.
async fn write_once(database: &Database, log: &Log, name: &str) {
    let (writes, _) = group_commit(database, log);
    for round in 0..15 {
        let singly = join_all((0..10).map(async |number| {
            let cause = format!("{name}-{round}-{number}");
            let appended = append(database, log, &[event("a", &cause)]).await.expect("appended");
            acknowledge(&cause, appended[0].event.offset);
        }));
        let together = join_all((10..20).map(async |number| {
            let cause = format!("{name}-{round}-{number}");
            acknowledge(&cause, writes.submit(cause.clone()).await.expect("written"));
        }));
        tokio::join!(singly, together);
    }
}

/// Writes until it is killed.
async fn write_on(database: &Database, log: &Log, name: &str) {
    let (writes, _) = group_commit(database, log);
    for round in 0.. {
        join_all((0..20).map(async |number| {
            let cause = format!("{name}-{round}-{number}");
            acknowledge(&cause, writes.submit(cause.clone()).await.expect("written"));
        }))
        .await;
    }
}

/// One write, so that a kill leaves no half line.
fn acknowledge(cause: &str, offset: u64) {
    let line = format!("{cause} {offset}\n");
    std::io::stdout().write_all(line.as_bytes()).expect("a reader");
}
