//! Arrivals and departures of connections, many callers' in one transaction.

use std::{collections::BTreeMap, sync::Arc};

use carillon_store::{Batch, StoreError, Transaction};

use crate::{
    Announcer, Entry, Position,
    connections::{self, Stage, State},
    leases,
    presence::{Announced, Inner},
    transitions::{self, Exchange},
};

/// What happens to one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It comes; all entries are its own, and there is at least one.
    Enter(Vec<Entry>),
    /// It moves within a scope.
    Move(Position),
    /// It has ended.
    Leave { connection: String, lease: String, returning: bool },
}

/// Applies arrivals and departures.
pub(crate) struct Arrivals<A>(pub(crate) Arc<Inner<A>>);

impl<A: Announcer> Batch for Arrivals<A> {
    type Item = Arrival;
    type Output = Arc<Announced>;

    async fn apply(
        &self,
        tx: &mut Transaction,
        items: &[&Arrival],
    ) -> Result<Vec<Arc<Announced>>, StoreError> {
        let (inner, now) = (&self.0, self.0.options.clock.now());
        let changes = self.changes(items, now);
        let entering = changes.values().filter(|state| state.stage() == Stage::Open);
        let mut leases: Vec<&str> = entering.map(|state| state.lease.as_str()).collect();
        leases.sort_unstable();
        leases.dedup();
        leases::hold(tx, &leases, now, inner.lease_from(now)).await?;
        let states = connections::change(tx, &changes).await?;
        let of_stage = |stage: Stage| {
            let there = states.iter().filter(move |(_, state)| state.stage() == stage);
            there.map(|(connection, _)| connection.clone()).collect::<Vec<String>>()
        };
        let stays =
            |connection: &String| states.get(connection).is_some_and(|state| state.stage() <= Stage::Open);
        let entries = items.iter().flat_map(|item| item.entries());
        let arriving: Vec<&Entry> = entries.filter(|entry| stays(&entry.connection)).collect();
        let positions = items.iter().filter_map(|item| item.position());
        let moving: Vec<&Position> = positions.filter(|position| stays(&position.connection)).collect();
        let leaving = of_stage(Stage::Closed);
        let exchange = Exchange { leaving: &leaving, is_final: true, arriving: &arriving, moving: &moving };
        let transitions = transitions::exchange(tx, now, &exchange).await?;
        // Where they are is remembered until their gateway enters them again.
        connections::forget(tx, &of_stage(Stage::Unknown)).await?;
        let announced = Arc::new(inner.announce(tx, &transitions).await?);
        Ok(vec![announced; items.len()])
    }
}

impl<A: Announcer> Arrivals<A> {
    /// What is to become of each connection: of one that both comes and goes, only that it goes,
    /// whatever the order in which the two were heard of. One that moves is only locked.
    fn changes<'a>(&self, items: &[&'a Arrival], now: i64) -> BTreeMap<&'a str, State> {
        let mut changes: BTreeMap<&str, State> = BTreeMap::new();
        for item in items {
            let (connection, lease, stage) = match item {
                Arrival::Enter(entries) => {
                    let Some(Entry { connection, lease, .. }) = entries.first() else { continue };
                    (connection, lease.as_str(), Stage::Open)
                }
                Arrival::Move(position) => (&position.connection, "", Stage::Unknown),
                Arrival::Leave { connection, lease, returning: true } => {
                    (connection, lease.as_str(), Stage::Awaited { due: self.0.grace_from(now) })
                }
                Arrival::Leave { connection, lease, returning: false } => {
                    (connection, lease.as_str(), Stage::Closed)
                }
            };
            let state = State::new(lease, stage, now);
            let place = changes.entry(connection).or_insert_with(|| state.clone());
            if stage > place.stage() {
                *place = state;
            }
        }
        changes
    }
}

impl Arrival {
    fn entries(&self) -> &[Entry] {
        match self {
            Self::Enter(entries) => entries,
            Self::Move(_) | Self::Leave { .. } => &[],
        }
    }

    fn position(&self) -> Option<&Position> {
        match self {
            Self::Move(position) => Some(position),
            Self::Enter(_) | Self::Leave { .. } => None,
        }
    }
}
