//! Arrivals and departures of connections, many callers' in one transaction.

use std::{collections::BTreeMap, sync::Arc};

use carillon_store::{Batch, StoreError, Transaction};

use crate::{
    Announcer, Entry,
    connections::{self, State},
    leases,
    presence::{Announced, Inner},
    transitions,
};

/// What happens to one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// It comes; all entries are its own, and there is at least one.
    Enter(Vec<Entry>),
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
        let mut leases: Vec<&str> =
            changes.values().filter(|state| state.left_at == 0).map(|state| state.lease.as_str()).collect();
        leases.sort_unstable();
        leases.dedup();
        leases::hold(tx, &leases, now, inner.lease_from(now)).await?;
        let states = connections::change(tx, &changes).await?;
        // What is not closed comes; what is closed, and not awaited, goes.
        let leaving: Vec<String> = states
            .iter()
            .filter(|(_, state)| state.left_at > 0 && state.due == 0)
            .map(|(connection, _)| connection.clone())
            .collect();
        let is_open = |entry: &&Entry| states.get(&entry.connection).is_some_and(|state| state.left_at == 0);
        let arriving: Vec<&Entry> = items.iter().flat_map(|item| item.entries()).filter(is_open).collect();
        let transitions = transitions::exchange(tx, now, &leaving, &arriving).await?;
        let announced = Arc::new(inner.announce(tx, &transitions).await?);
        Ok(vec![announced; items.len()])
    }
}

impl<A: Announcer> Arrivals<A> {
    /// What is to become of each connection: of one that both comes and goes, only that it goes,
    /// whatever the order in which the two were heard of.
    fn changes<'a>(&self, items: &[&'a Arrival], now: i64) -> BTreeMap<&'a str, State> {
        let mut changes: BTreeMap<&str, State> = BTreeMap::new();
        for item in items {
            let (connection, state) = match item {
                Arrival::Enter(entries) => {
                    let Some(Entry { connection, lease, .. }) = entries.first() else { continue };
                    (connection, State { lease: lease.clone(), left_at: 0, due: 0 })
                }
                Arrival::Leave { connection, lease, returning } => {
                    let due = if *returning { self.0.grace_from(now) } else { 0 };
                    (connection, State { lease: lease.clone(), left_at: now, due })
                }
            };
            let place = changes.entry(connection).or_insert_with(|| state.clone());
            if finality(&state) > finality(place) {
                *place = state;
            }
        }
        changes
    }
}

/// Open, closed but awaited, closed.
fn finality(state: &State) -> u8 {
    match (state.left_at, state.due) {
        (0, _) => 0,
        (_, 0) => 2,
        _ => 1,
    }
}

impl Arrival {
    fn entries(&self) -> &[Entry] {
        match self {
            Self::Enter(entries) => entries,
            Self::Leave { .. } => &[],
        }
    }
}
