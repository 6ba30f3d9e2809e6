//! What a service does with presence.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use carillon_instruments::Registry;
use carillon_service::{Outgoing, Publisher, time::microseconds};
use carillon_store::{Database, GroupCommit, Log, NewEvent, StoreError, Transaction};
use futures_util::future::join_all;

use crate::{
    Announcer, Entry, Position, PresenceOptions, Transition,
    arrivals::{Arrival, Arrivals},
    leases,
    metrics::Metrics,
    transitions,
};

/// Who is where, in one service's database. Clones share it.
pub struct Presence<A: Announcer> {
    pub(crate) inner: Arc<Inner<A>>,
    arrivals: GroupCommit<Arrivals<A>>,
}

impl<A: Announcer> Clone for Presence<A> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), arrivals: self.arrivals.clone() }
    }
}

impl<A: Announcer> fmt::Debug for Presence<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Presence").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

/// What its parts share.
pub(crate) struct Inner<A> {
    pub(crate) database: Database,
    pub(crate) options: PresenceOptions,
    pub(crate) metrics: Metrics,
    log: Log,
    publisher: Publisher,
    announcer: A,
}

impl<A: Announcer> Presence<A> {
    /// Presence in a database that has the tables of [`SCHEMA`](crate::SCHEMA). Needs a tokio runtime.
    ///
    /// # Errors
    /// None that a service could act on.
    pub fn new(database: Database, log: Log, publisher: Publisher, announcer: A) -> Result<Self, StoreError> {
        Self::with_options(database, log, publisher, announcer, PresenceOptions::default())
    }

    /// [`new`](Self::new), with durations and a clock.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_options(
        database: Database,
        log: Log,
        publisher: Publisher,
        announcer: A,
        options: PresenceOptions,
    ) -> Result<Self, StoreError> {
        let metrics = Metrics::new(database.service()).map_err(StoreError::other)?;
        let inner =
            Arc::new(Inner { database: database.clone(), options, metrics, log, publisher, announcer });
        let arrivals = GroupCommit::new(database, Arrivals(Arc::clone(&inner)));
        Ok(Self { inner, arrivals })
    }

    /// Adds its figures to a registry.
    ///
    /// # Errors
    /// If the registry has those of the same service already.
    pub fn register_metrics(&self, registry: &Registry) -> Result<(), StoreError> {
        self.inner.metrics.register(registry).map_err(StoreError::other)
    }

    /// Enters connections into topics, each connection at once into all of its topics, and returns
    /// when that is committed and announced. What is there already stays, a connection that was counted
    /// out with its lease is at its [positions](Position) again, and one that has left stays away.
    /// Concurrent callers share transactions.
    ///
    /// # Errors
    /// If the database fails; some of several connections may have entered then. To repeat it is harmless.
    pub async fn enter(&self, entries: Vec<Entry>) -> Result<(), StoreError> {
        let mut connections: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for entry in entries {
            connections.entry(entry.connection.clone()).or_default().push(entry);
        }
        let entered = connections.into_values().map(|entries| self.submit(Arrival::Enter(entries)));
        join_all(entered).await.into_iter().collect()
    }

    /// A connection is at another topic of a scope that it is in, or at none, and leaves the one where it
    /// was. Returns when that is committed and announced. A frame that is not later than the last
    /// has no effect, nor has one of a connection that has left; of one that was counted out with its
    /// lease it is remembered until it is entered again. Concurrent callers share transactions.
    ///
    /// # Errors
    /// If the database fails. To repeat it is harmless.
    pub async fn move_to(&self, position: Position) -> Result<(), StoreError> {
        self.submit(Arrival::Move(position)).await
    }

    /// A connection has ended, and leaves every topic; of a client that may be returning, after the
    /// grace, unless it is there by another connection by then. Returns when that is committed and announced.
    ///
    /// # Errors
    /// If the database fails. To repeat it is harmless.
    pub async fn leave(&self, connection: &str, lease: &str, returning: bool) -> Result<(), StoreError> {
        let (connection, lease) = (connection.to_owned(), lease.to_owned());
        self.submit(Arrival::Leave { connection, lease, returning }).await
    }

    /// Ends the presence of members in topics, `(topic, member)`, and in those to be at of which they
    /// are the scopes, within a transaction: of one who is removed from a conversation, say. Called once in a transaction, which has locked its own
    /// rows before, and appends the events that this returns to the log with its own, last.
    ///
    /// # Errors
    /// If the database fails; then the transaction can only be rolled back.
    pub async fn end(
        &self,
        tx: &mut Transaction,
        members: &[(&str, &str)],
    ) -> Result<Vec<NewEvent>, StoreError> {
        let transitions = transitions::expel(tx, self.inner.options.clock.now(), members).await?;
        if transitions.is_empty() {
            return Ok(Vec::new());
        }
        self.inner.metrics.count(0, transitions.len() as u64);
        self.inner.announcer.announce(tx, &transitions).await
    }

    /// A gateway is still there. Returns the generation of its lease: if it is not that of last
    /// time, or there was no last time, connections may have been counted out, and the gateway
    /// enters all that it has, those included that are still being opened.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn renew(&self, lease: &str) -> Result<String, StoreError> {
        let mut tx = self.inner.database.begin().await?;
        let now = self.inner.options.clock.now();
        let generation = leases::renew(&mut tx, lease, self.inner.lease_from(now)).await?;
        tx.commit().await?;
        Ok(generation)
    }

    async fn submit(&self, arrival: Arrival) -> Result<(), StoreError> {
        let announced = self.arrivals.submit(arrival).await?;
        self.inner.publish(&announced).await;
        Ok(())
    }
}

/// What a transaction announces once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Announced {
    outgoing: Outgoing,
    /// By kind, for the metrics; taken by the first who publishes.
    counts: std::sync::Mutex<Counts>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    joined: u64,
    left: u64,
}

impl<A: Announcer> Inner<A> {
    /// When a lease ends that is renewed now.
    pub(crate) fn lease_from(&self, now: i64) -> i64 {
        after(now, self.options.lease)
    }

    /// When a connection stops counting whose client may return.
    pub(crate) fn grace_from(&self, now: i64) -> i64 {
        after(now, self.options.grace)
    }

    /// Appends what the service says to transitions: the last thing that their transaction does.
    pub(crate) async fn announce(
        &self,
        tx: &mut Transaction,
        transitions: &[Transition],
    ) -> Result<Announced, StoreError> {
        if transitions.is_empty() {
            return Ok(Announced::default());
        }
        let events = self.announcer.announce(tx, transitions).await?;
        let appended = match events.as_slice() {
            [] => Vec::new(),
            events => self.log.append(tx, events).await?,
        };
        let joined = transitions.iter().filter(|transition| transition.joined).count() as u64;
        let counts = Counts { joined, left: transitions.len() as u64 - joined };
        let events = appended.into_iter().map(|appended| appended.event).collect();
        Ok(Announced { outgoing: Outgoing::new(events), counts: counts.into() })
    }

    /// Publishes what a committed transaction announces.
    pub(crate) async fn publish(&self, announced: &Announced) {
        if let Ok(mut counts) = announced.counts.lock() {
            let Counts { joined, left } = std::mem::take(&mut *counts);
            self.metrics.count(joined, left);
        }
        announced.outgoing.publish(&self.publisher).await;
    }
}

/// A time so much later than another.
pub(crate) fn after(now: i64, duration: Duration) -> i64 {
    now.saturating_add(microseconds(duration))
}
