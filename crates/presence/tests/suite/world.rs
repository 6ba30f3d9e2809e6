//! Two replicas of a service on one database, whose time the test sets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use carillon_bus::Bus;
use carillon_contract::{
    Channel, ServiceName,
    messages::{HistoryRequest, Variant},
};
use carillon_presence::{Announcer, Clock, Entry, Position, Presence, PresenceOptions, SCHEMA, Transition};
use carillon_service::Publisher;
use carillon_store::{Database, Log, Migration, NewEvent, Retention, StoreError, Transaction};
use carillon_testkit::service::Place;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _};
use tokio_util::sync::CancellationToken;

static MIGRATIONS: [Migration; 1] = [Migration { version: 1, name: "presence", sql: SCHEMA }];

/// Nothing is forgotten.
const RETENTION: Retention = Retention { age: Duration::from_secs(1_000_000), count: 1_000_000 };

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) replicas: [Presence<Announcements>; 2],
    pub(crate) database: Database,
    pub(crate) log: Log,
    time: Arc<AtomicI64>,
    _place: Place,
}

impl World {
    pub(crate) async fn start(place: Place) -> Self {
        let time = Arc::new(AtomicI64::new(carillon_store::now()));
        let options = PresenceOptions { clock: Clock::Manual(Arc::clone(&time)), ..Default::default() };
        Self::start_with(place, time, options).await
    }

    pub(crate) async fn start_with(place: Place, time: Arc<AtomicI64>, options: PresenceOptions) -> Self {
        let database = open(&place).await;
        // On Postgres each replica has its own connections; a file has one process.
        let other = if place.url.starts_with("postgres") { open(&place).await } else { database.clone() };
        let (bus, log) = (Bus::in_process(), Log::open(database.clone(), RETENTION).await.unwrap());
        let replica = |database: Database| {
            let publisher = Publisher::new(bus.clone());
            Presence::with_options(database, log.clone(), publisher, Announcements, options.clone()).unwrap()
        };
        let replicas = [replica(database.clone()), replica(other)];
        Self { bus, replicas, database, log, time, _place: place }
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.time.fetch_add(i64::try_from(time.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) async fn enter(&self, connection: &str, member: &str, topics: &[&str]) {
        self.replicas[0].enter(entries(connection, member, topics)).await.unwrap();
    }

    pub(crate) async fn go(&self, position: Position) {
        self.replicas[1].move_to(position).await.unwrap();
    }

    pub(crate) async fn leave(&self, connection: &str) {
        self.replicas[1].leave(connection, lease_of(connection), false).await.unwrap();
    }

    pub(crate) async fn leave_to_return(&self, connection: &str) {
        self.replicas[1].leave(connection, lease_of(connection), true).await.unwrap();
    }

    /// One round on both replicas at once.
    pub(crate) async fn sweep(&self) {
        let never = CancellationToken::new();
        let [one, two] = &self.replicas;
        let (one, two) = tokio::join!(one.sweep(true, &never), two.sweep(true, &never));
        one.and(two).unwrap();
    }

    /// What was announced in a topic.
    pub(crate) async fn announced(&self, topic: &str) -> Vec<Value> {
        let mut announced: Vec<Value> = Vec::new();
        loop {
            let after = announced.len() as u64;
            let request = HistoryRequest { channel: topic.to_owned(), after, limit: 1_000 };
            let reply = self.log.history(&request).await.unwrap();
            if reply.events.is_empty() {
                return announced;
            }
            let json = reply.events.iter().map(|event| &event.variants[0].json);
            announced.extend(json.map(|json| serde_json::from_slice::<Value>(json).unwrap()));
        }
    }

    /// That, in short: `+a` for the coming of `a`, `-a` for its going.
    pub(crate) async fn story(&self, topic: &str) -> String {
        let sign = |event: &Value| if event["joined"] == true { "+" } else { "-" };
        let word = |event: &Value| format!("{}{}", sign(event), event["member"].as_str().unwrap());
        self.announced(topic).await.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    /// The rows of a query, each as its columns' text.
    pub(crate) async fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let rows =
            sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(self.database.reader()).await.unwrap();
        let text = |row: &sqlx::any::AnyRow, column: usize| {
            row.try_get::<String, _>(column).unwrap_or_else(|_| row.get::<i64, _>(column).to_string())
        };
        rows.iter().map(|row| (0..row.len()).map(|column| text(row, column)).collect()).collect()
    }
}

async fn open(place: &Place) -> Database {
    Database::open(&place.url, ServiceName::Chat, &MIGRATIONS).await.unwrap()
}

/// A test's connections are named `lease:something`.
pub(crate) fn lease_of(connection: &str) -> &str {
    connection.split(':').next().unwrap()
}

pub(crate) fn entries(connection: &str, member: &str, topics: &[&str]) -> Vec<Entry> {
    let entry = |topic: &&str| Entry {
        topic: (*topic).to_owned(),
        member: member.to_owned(),
        connection: connection.to_owned(),
        lease: lease_of(connection).to_owned(),
        detail: format!("{member} by {connection}"),
    };
    topics.iter().map(entry).collect()
}

/// That a connection is at a topic of a scope by a frame, or at none.
pub(crate) fn position(
    connection: &str,
    member: &str,
    scope: &str,
    topic: Option<&str>,
    number: u64,
) -> Position {
    Position {
        connection: connection.to_owned(),
        scope: scope.to_owned(),
        topic: topic.map(str::to_owned),
        member: member.to_owned(),
        detail: format!("{member} by {connection}"),
        number,
    }
}

/// Announces each transition on the channel that the topic is named after.
pub(crate) struct Announcements;

impl Announcer for Announcements {
    async fn announce(
        &self,
        _: &mut Transaction,
        transitions: &[Transition],
    ) -> Result<Vec<NewEvent>, StoreError> {
        transitions.iter().map(event).collect()
    }
}

fn event(transition: &Transition) -> Result<NewEvent, StoreError> {
    let channel: Channel = transition.topic.parse().map_err(StoreError::other)?;
    let json = json!({
        "member": transition.member, "joined": transition.joined, "detail": transition.detail,
        "connection": transition.connection, "size": transition.size, "version": transition.version,
    });
    Ok(NewEvent::new(channel, transition.cause(), vec![Variant::json(json.to_string())]))
}
