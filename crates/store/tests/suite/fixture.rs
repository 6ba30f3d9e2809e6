//! Short ways to say what many tests say.

use std::time::Duration;

use bytes::Bytes;
use carillon_contract::{
    Channel,
    messages::{Event, HistoryReply, HistoryRequest, Variant},
};
use carillon_store::{Appended, Database, Log, NewEvent, Retention, StoreError};

/// A retention under which nothing goes.
pub(crate) const KEEP_ALL: Retention = Retention { age: Duration::from_secs(3600), count: 1_000_000 };

pub(crate) fn channel(name: &str) -> Channel {
    Channel::user(name).expect("a channel")
}

/// An event whose JSON tells where it belongs.
pub(crate) fn event(channel_name: &str, cause: &str) -> NewEvent {
    event_of(channel_name, cause, format!("{{\"cause\":\"{cause}\"}}").into())
}

pub(crate) fn event_of(channel_name: &str, cause: &str, json: Bytes) -> NewEvent {
    let variants = vec![Variant { dialects: vec!["events".into()], ..Variant::json(json) }];
    NewEvent::new(channel(channel_name), cause, variants)
}

/// Appends in a transaction of its own.
pub(crate) async fn append(
    database: &Database,
    log: &Log,
    events: &[NewEvent],
) -> Result<Vec<Appended>, StoreError> {
    let mut tx = database.begin().await?;
    let appended = log.append(&mut tx, events).await?;
    tx.commit().await?;
    Ok(appended)
}

/// Appends events with causes `<prefix>1`, `<prefix>2`, … to a channel.
pub(crate) async fn fill(database: &Database, log: &Log, channel_name: &str, prefix: &str, count: usize) {
    let events: Vec<_> =
        (1..=count).map(|number| event(channel_name, &format!("{prefix}{number}"))).collect();
    append(database, log, &events).await.expect("appended");
}

pub(crate) async fn history(log: &Log, channel_name: &str, after: u64, limit: u32) -> HistoryReply {
    let channel = channel(channel_name).to_string();
    log.history(&HistoryRequest { channel, after, limit }).await.expect("a history")
}

/// The whole log of a channel, a page at a time.
pub(crate) async fn all_events(log: &Log, channel_name: &str) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.offset);
        let reply = history(log, channel_name, after, 1_000).await;
        if reply.events.is_empty() {
            return events;
        }
        events.extend(reply.events);
    }
}

pub(crate) fn offsets(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.offset).collect()
}

pub(crate) fn json(event: &Event) -> &str {
    std::str::from_utf8(&event.variants[0].json).expect("text")
}

/// A statement of a test.
pub(crate) async fn execute(database: &Database, sql: &'static str) {
    let mut tx = database.begin().await.expect("a transaction");
    sqlx::query(sql).execute(&mut *tx).await.expect("executed");
    tx.commit().await.expect("committed");
}

/// Waits for a condition.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "{what}: not within a minute");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
