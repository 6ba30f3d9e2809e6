//! Who is typing (S4-04): told to those who are there, never stored, and over by itself.
//!
//! Any replica may hear a frame, so they tell each other, and each knows everyone who is typing. The
//! one that heard the last frame of a user tells clients when it is over; the others do so a little
//! later if it has not: it may have died. Doing so twice would be harmless.

mod replicas;
mod table;

use std::time::Duration;

use carillon_contract::{
    Channel, ServiceName,
    messages::{Event, Variant},
};
use carillon_service::{Publisher, Shell};
use carillon_store::now;
use serde_json::Value;
use tokio::{
    sync::{Mutex, Notify},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use replicas::{PATIENCE, Replicas};
use table::Table;

/// A user in a topic, which is whatever text a service calls a place by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Typist {
    /// Where.
    pub topic: String,
    /// Who.
    pub user: String,
}

/// A client says that its user is typing, or no longer.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// Where, and who.
    pub typist: Typist,
    /// The user, as clients see it.
    pub person: Value,
    /// The connection that says so, and hears nothing of it.
    pub connection: String,
    /// Of the connection's frames: the higher is the later.
    pub number: u64,
    /// It is typing; otherwise it has stopped.
    pub is_typing: bool,
}

/// How a service shows it.
pub trait Indicator: Send + Sync + 'static {
    /// The frame that tells of somebody, and the channel of those who are told; `None` if nobody is.
    fn show(&self, typist: &Typist, person: &Value, is_typing: bool) -> Option<(Channel, Value)>;
}

/// See the module.
pub struct Typists<I: Indicator> {
    indicator: I,
    publisher: Publisher,
    epoch: String,
    replicas: Replicas,
    /// Held until what is decided under it is published: so clients hear it in that order.
    table: Mutex<Table>,
    /// What is due next may have changed.
    changed: Notify,
}

impl<I: Indicator> Typists<I> {
    /// Nobody is typing yet. A user types for `duration` unless it says so again; `epoch` is that of
    /// the service's log. The process isn't ready before other replicas are heard ([`run`](Self::run)).
    pub fn new(shell: &Shell, service: ServiceName, epoch: &str, duration: Duration, indicator: I) -> Self {
        Self {
            indicator,
            publisher: Publisher::new(shell.bus.clone()),
            epoch: epoch.to_owned(),
            replicas: Replicas::new(shell, service, duration),
            table: Mutex::new(Table::new(duration)),
            changed: Notify::new(),
        }
    }

    /// A client says something.
    pub async fn said(&self, said: Said) {
        let mut table = self.table.lock().await;
        if table.hear(said.clone(), true, Instant::now()) {
            self.announce(&said).await;
        }
        self.replicas.tell(&said).await;
        self.changed.notify_one();
    }

    /// What somebody was typing over a connection, if it was, is over with a frame: it was sent, say.
    pub async fn stop(&self, typist: &Typist, connection: &str, number: u64) {
        let mut table = self.table.lock().await;
        self.stop_in(&mut table, typist, connection, number).await;
    }

    /// A connection has ended: whatever was typed over it is typed no longer.
    pub async fn left(&self, connection: &str) {
        let mut table = self.table.lock().await;
        let typists: Vec<Typist> = table.of_connection(connection).cloned().collect();
        for typist in typists {
            self.stop_in(&mut table, &typist, connection, u64::MAX).await;
        }
    }

    /// Those who are typing in a topic, each as clients see it.
    pub async fn typing_in(&self, topic: &str) -> Vec<(Typist, Value)> {
        let table = self.table.lock().await;
        table.typing_in(topic).map(|(typist, person)| (typist.clone(), person.clone())).collect()
    }

    /// Those who are typing in any topic that begins with a text.
    pub async fn typing_below(&self, prefix: &str) -> Vec<Typist> {
        self.table.lock().await.typing_below(prefix).map(|(typist, _)| typist.clone()).collect()
    }

    /// Hears other replicas and tells what is over, until shutdown.
    pub async fn run(&self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.listen() => {}
        }
    }

    async fn listen(&self) {
        loop {
            let mut heard = self.replicas.hear().await;
            loop {
                let due = self.table.lock().await.due();
                let over = async {
                    match due {
                        Some(due) => sleep_until(due).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    said = heard.next() => match said {
                        Some(said) => drop(self.table.lock().await.hear(said, false, Instant::now())),
                        None => break,
                    },
                    () = self.changed.notified() => {}
                    () = over => self.finish().await,
                }
            }
            sleep(PATIENCE).await;
        }
    }

    /// Tells of those whose time is over.
    async fn finish(&self) {
        let mut table = self.table.lock().await;
        for said in table.over(Instant::now()) {
            self.announce(&said).await;
            self.replicas.tell(&said).await;
        }
    }

    async fn stop_in(&self, table: &mut Table, typist: &Typist, connection: &str, number: u64) {
        let Some(said) = table.stop(typist, connection, number) else { return };
        if table.hear(said.clone(), true, Instant::now()) {
            self.announce(&said).await;
            self.replicas.tell(&said).await;
        }
    }

    /// Tells clients, but for the one that said so.
    async fn announce(&self, said: &Said) {
        let shown = self.indicator.show(&said.typist, &said.person, said.is_typing);
        let Some((channel, frame)) = shown else { return };
        let event = Event {
            channel: channel.to_string(),
            epoch: self.epoch.clone(),
            at: now(),
            variants: vec![Variant::json(frame.to_string())],
            except_connection: said.connection.clone(),
            ..Event::default()
        };
        self.publisher.publish(&[event]).await;
    }
}
