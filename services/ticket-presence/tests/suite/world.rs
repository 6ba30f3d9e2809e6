//! The service, running on a bus with stand-ins for auth and notification.

use std::ops::{Deref, DerefMut};

use carillon_bus::{Bus, Server};
use carillon_contract::{
    Channel, ServiceName,
    messages::{Accept, Identity, Notice, open_reply::Outcome},
};
use carillon_service::DatabaseArgs;
use carillon_testkit::service::{Auth, Notification, Place, Replicas, json_of, until, user};
use carillon_ticket_presence::{Args, SettingsArgs, run};
use serde_json::Value;
use sqlx::{AnyConnection, Connection as _};

/// Users whom everybody knows: 1 is John Doe, whose name is `john`, and so on. All but 6 are members of
/// project 1, whose tickets' key is `PROJ`; 1 and 6 are those of project 2.
const PEOPLE: [(&str, &str, &str, &str); 5] = [
    ("1", "john", "John", "Doe"),
    ("2", "bob", "Bob", "Oz"),
    ("3", "carol", "Carol", "Ray"),
    ("5", "Dora", "Dora", "Fox"),
    ("6", "eve", "Eve", "Out"),
];

/// One of these users, or whoever has that id.
pub(crate) fn person(id: &str) -> Identity {
    let known = PEOPLE.iter().find(|(known, ..)| *known == id);
    let (_, username, first_name, last_name) = *known.unwrap_or(&("", "", "", ""));
    Identity {
        username: username.to_owned(),
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        ..user(id)
    }
}

/// What an accepted session is told.
pub(crate) fn accepted(outcome: Outcome) -> Accept {
    match outcome {
        Outcome::Accept(accept) => accept,
        Outcome::Reject(close) => panic!("refused: {close:?}"),
    }
}

/// With what somebody is turned away.
pub(crate) fn refused(outcome: Outcome) -> (u32, String) {
    match outcome {
        Outcome::Reject(close) => (close.code, close.reason),
        Outcome::Accept(accept) => panic!("accepted: {accept:?}"),
    }
}

/// `project.{project}.{kind}`
pub(crate) fn channel(project: &str, kind: &str) -> Channel {
    Channel::new("project", &[project, kind]).expect("a channel")
}

/// Replicas, and what they work with.
pub(crate) struct World {
    replicas: Replicas,
    pub(crate) auth: Auth,
    pub(crate) notification: Notification,
    pub(crate) place: Place,
    _servers: [Server; 2],
}

impl World {
    pub(crate) async fn start(place: Place) -> Self {
        Self::start_with(place, 1, SettingsArgs::default()).await
    }

    pub(crate) async fn start_with(place: Place, replicas: usize, settings: SettingsArgs) -> Self {
        let (bus, auth, notification) = (Bus::in_process(), Auth::default(), Notification::default());
        auth.add("1", ["1", "2", "3", "5"].map(str::to_owned));
        auth.add("2", ["1", "6"].map(str::to_owned));
        PEOPLE.iter().for_each(|(id, username, ..)| auth.name(id, username));
        let servers = [auth.serve(&bus).await, notification.serve(&bus).await];
        let replicas_of = Replicas::new(bus, ServiceName::TicketPresence);
        let mut world = Self { replicas: replicas_of, auth, notification, place, _servers: servers };
        for _ in 0..replicas {
            world.add_replica(settings.clone()).await;
        }
        world
    }

    pub(crate) async fn add_replica(&mut self, settings: SettingsArgs) {
        let database = DatabaseArgs { database_url: self.place.url.clone() };
        self.replicas.add(|shell| run(Args { database, settings }, shell)).await;
    }

    /// What a channel has told, as clients heard it.
    pub(crate) async fn told(&self, channel: &Channel) -> Vec<Value> {
        self.history(channel).await.iter().map(|event| json_of(event, "")).collect()
    }

    /// What the notification service was told, once nothing more is owed to it.
    pub(crate) async fn notified(&self) -> Vec<Notice> {
        until("what is owed is delivered", async || self.count("SELECT COUNT(*) FROM outbox").await == 0)
            .await;
        self.notification.told()
    }

    /// What a statement counts.
    pub(crate) async fn count(&self, statement: &'static str) -> i64 {
        let mut database = self.database().await;
        sqlx::query_scalar(statement).fetch_one(&mut database).await.expect("a count")
    }

    /// A connection of the test's own to the service's tables.
    pub(crate) async fn database(&self) -> AnyConnection {
        let mut connection = AnyConnection::connect(&self.place.url).await.expect("a connection");
        if !self.place.url.starts_with("sqlite") {
            let enter = "SET search_path TO \"ticket-presence\"";
            sqlx::raw_sql(enter).execute(&mut connection).await.expect("the schema");
        }
        connection
    }
}

impl Deref for World {
    type Target = Replicas;

    fn deref(&self) -> &Replicas {
        &self.replicas
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Replicas {
        &mut self.replicas
    }
}
