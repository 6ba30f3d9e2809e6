//! Clearing rooms whose rules have changed: everyone's session ends, and whoever comes back is
//! checked anew.
//!
//! The change is committed first, and only then is looked who is there. So whoever entered by the old
//! rules is either there by now, and leaves by the event that is appended then, or reads its greeting
//! later, and finds that the rules have changed. What is owed is a row: a replica that dies leaves it
//! to the others.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use carillon_contract::messages::Dismissal;
use carillon_presence::topics_with_prefix;
use carillon_service::{Publisher, time::microseconds};
use carillon_store::{Database, Log, NewEvent, StoreError, Transaction, now};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    cache::Cache,
    rows::{self, Change},
    rules::Rules,
};

/// How often a replica looks for what another one left behind.
const POLL: Duration = Duration::from_secs(1);

/// Rooms of one transaction.
const AT_A_TIME: i64 = 200;

/// For how long it is remembered that rooms were cleared: a gateway that was cut off for so long, and
/// counted out meanwhile, has its rooms cleared when it is back.
const REMEMBERED: Duration = Duration::from_secs(86_400);

/// The code of "service restart": come back.
const COME_BACK: u32 = 1012;

/// See the module.
pub(super) struct Clearing {
    database: Database,
    log: Log,
    publisher: Publisher,
    cache: Arc<Cache>,
    wake: Notify,
}

impl Clearing {
    pub(super) fn new(database: Database, log: Log, publisher: Publisher, cache: Arc<Cache>) -> Self {
        Self { database, log, publisher, cache, wake: Notify::new() }
    }

    /// Looks now rather than within a second.
    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Clears what is owed until shutdown. Each replica may run it: the same event again is one event.
    pub(super) async fn run(&self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.clear_owed(&shutdown).await {
                tracing::warn!(%error, "rooms whose rules have changed could not be cleared; trying again");
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    async fn clear_owed(&self, shutdown: &CancellationToken) -> Result<(), StoreError> {
        let mut reader = self.database.reader().acquire().await?;
        let owed = rows::owed(&mut reader).await?;
        drop(reader);
        for change in &owed {
            if shutdown.is_cancelled() {
                break;
            }
            self.clear(change).await?;
            let mut tx = self.database.begin().await?;
            rows::settle(&mut tx, change, now() - microseconds(REMEMBERED)).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    async fn clear(&self, change: &Change) -> Result<(), StoreError> {
        let reach = Reach::of(change, &*self.cache.current().await?);
        let mut after = String::new();
        loop {
            let mut tx = self.database.begin().await?;
            let topics = topics_with_prefix(&mut tx, &reach.start, &after, AT_A_TIME).await?;
            let Some(last) = topics.last().cloned() else { return Ok(()) };
            let topics = topics.iter().filter(|topic| reach.covers(topic));
            let cause = format!("access:{}", change.version);
            let events = topics.map(|topic| event(topic, cause.clone())).collect::<Result<Vec<_>, _>>()?;
            self.publish(tx, &events).await?;
            after = last;
        }
    }

    /// Clears rooms that may have been counted as empty when their rules changed: each topic with one
    /// of the connections that are counted in again.
    pub(super) async fn clear_again(&self, entered: &BTreeMap<String, String>) -> Result<(), StoreError> {
        let changes = rows::cleared(&mut *self.database.reader().acquire().await?).await?;
        if changes.is_empty() {
            return Ok(());
        }
        let rules = self.cache.current().await?;
        let mut events = BTreeMap::new();
        for change in &changes {
            let reach = Reach::of(change, &rules);
            for (topic, connection) in entered.iter().filter(|(topic, _)| reach.covers(topic)) {
                events.insert(topic, event(topic, format!("access:{}:{connection}", change.version))?);
            }
        }
        let events: Vec<_> = events.into_values().collect();
        self.publish(self.database.begin().await?, &events).await
    }

    async fn publish(&self, mut tx: Transaction, events: &[NewEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        let appended = self.log.append(&mut tx, events).await?;
        tx.commit().await?;
        let events: Vec<_> = appended.into_iter().map(|appended| appended.event).collect();
        self.publisher.publish(&events).await;
        Ok(())
    }
}

/// The topics that a change is about.
struct Reach {
    start: String,
    /// Longer prefixes have rules of their own, which have not changed.
    longer: Vec<String>,
}

impl Reach {
    fn of(change: &Change, rules: &Rules) -> Self {
        let Change { area, prefix, .. } = change;
        let longer = rules.longer(*area, prefix).map(|prefix| area.topics(prefix)).collect();
        Self { start: area.topics(prefix), longer }
    }

    fn covers(&self, topic: &str) -> bool {
        topic.starts_with(&self.start) && !self.longer.iter().any(|longer| topic.starts_with(longer))
    }
}

/// Ends everyone's session in a room.
fn event(topic: &str, cause: String) -> Result<NewEvent, StoreError> {
    let channel = topic.parse().map_err(StoreError::other)?;
    let reason = "the rules of this room have changed".to_owned();
    let dismissal = Dismissal { user: String::new(), code: COME_BACK, reason };
    Ok(NewEvent { dismissal: Some(dismissal), ..NewEvent::new(channel, cause, Vec::new()) })
}
