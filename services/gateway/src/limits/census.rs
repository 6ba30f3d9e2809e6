//! How many connections each address and each user has, and how often it has come back lately, over all
//! gateways: what this one knows of itself, and what the others have told it.
//!
//! It knows no bus and no clock: it is told what was heard, and when.

mod hearing;
mod telling;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    Quotas, Source,
    handshakes::Handshakes,
    peer::Peer,
    window::{KEPT, Span},
};

/// Gateways that are remembered, those that have ended among them.
const PEERS: usize = 64;

/// Changes that are kept until they are told. More are told with everything else.
const CHANGES: usize = 20_000;

/// Milliseconds after which somebody who has too many connections may try again: when one ends, nobody knows.
const COME_BACK: u64 = 30_000;

/// A limit that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Address,
    User,
    Reconnections,
}

impl Limit {
    /// The label in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Address => "connections_per_address",
            Self::User => "connections_per_user",
            Self::Reconnections => "reconnections",
        }
    }

    /// What its client is told.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Address => "too many connections from this address",
            Self::User => "too many connections of this user",
            Self::Reconnections => "too many reconnections from this address",
        }
    }
}

/// Somebody is over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over {
    pub(crate) limit: Limit,
    /// When trying again may help.
    pub(crate) after_milliseconds: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Census {
    quotas: Quotas,
    /// This gateway's name.
    name: Box<str>,
    sources: HashMap<Source, u32>,
    users: HashMap<Arc<str>, u32>,
    handshakes: Handshakes,
    peers: HashMap<Box<str>, Peer>,
    changed: Changed,
    rounds: u64,
    numbers: u64,
    /// The slot in which handshakes that no longer count were last dropped.
    swept: u64,
}

/// Whose numbers have changed since they were last told.
#[derive(Debug, Default)]
struct Changed {
    sources: HashSet<Source>,
    users: HashSet<Arc<str>>,
    handshakes: HashSet<Source>,
    everything: bool,
    /// Others are to be asked for everything.
    question: bool,
}

impl Census {
    pub(crate) fn new(name: &str, quotas: Quotas) -> Self {
        Self {
            quotas,
            name: name.into(),
            sources: HashMap::new(),
            users: HashMap::new(),
            handshakes: Handshakes::default(),
            peers: HashMap::new(),
            changed: Changed::default(),
            rounds: 0,
            numbers: 0,
            swept: 0,
        }
    }

    fn span(&self) -> Span {
        self.quotas.reconnection_span()
    }

    /// Counts a handshake of an address, and a connection of it until [`Census::leave`].
    ///
    /// # Errors
    /// The limit that it is over. It is not counted then.
    pub(crate) fn enter(&mut self, source: Source, now: u64) -> Result<(), Over> {
        let limit = self.quotas.connections_per_address;
        if limit > 0 && self.connections_of(source) >= limit.into() {
            return Err(Over { limit: Limit::Address, after_milliseconds: COME_BACK });
        }
        self.check_reconnections(source, now)?;
        *self.sources.entry(source).or_default() += 1;
        self.changed.sources.insert(source);
        let slot = self.span().slot(now);
        self.handshakes.at(source, slot).made.add(slot, 1);
        self.changed.handshakes.insert(source);
        self.settle();
        Ok(())
    }

    /// A connection of an address has ended.
    pub(crate) fn leave(&mut self, source: Source) {
        if let Some(connections) = self.sources.get_mut(&source) {
            *connections -= 1;
            if *connections == 0 {
                self.sources.remove(&source);
            }
        }
        self.changed.sources.insert(source);
        self.settle();
    }

    /// Counts a connection of a user until [`Census::leave_as`]. Returns the user's name as it is known here.
    ///
    /// # Errors
    /// The user has too many. It is not counted then.
    pub(crate) fn enter_as(&mut self, user: &str) -> Result<Arc<str>, Over> {
        let limit = self.quotas.connections_per_user;
        if limit > 0 && self.connections_of_user(user) >= limit.into() {
            return Err(Over { limit: Limit::User, after_milliseconds: COME_BACK });
        }
        let known = self.users.get_key_value(user);
        let user = known.map_or_else(|| Arc::from(user), |(user, _)| user.clone());
        *self.users.entry(user.clone()).or_default() += 1;
        self.changed.users.insert(user.clone());
        self.settle();
        Ok(user)
    }

    /// A connection of a user has ended.
    pub(crate) fn leave_as(&mut self, user: &Arc<str>) {
        if let Some(connections) = self.users.get_mut(user) {
            *connections -= 1;
            if *connections == 0 {
                self.users.remove(user);
            }
        }
        self.changed.users.insert(user.clone());
        self.settle();
    }

    /// This gateway closes a connection of an address: that it comes back doesn't count.
    pub(crate) fn excuse(&mut self, source: Source, now: u64) {
        let slot = self.span().slot(now);
        self.handshakes.at(source, slot).excused.add(slot, 1);
        self.changed.handshakes.insert(source);
        self.settle();
    }

    /// Open connections of an address, over all gateways.
    pub(crate) fn connections_of(&self, source: Source) -> u64 {
        let others = self.peers.values().map(|peer| u64::from(peer.connections_of(source)));
        others.sum::<u64>() + u64::from(self.sources.get(&source).copied().unwrap_or(0))
    }

    /// Connections of which other gateways have told: by address, and by user.
    pub(crate) fn elsewhere(&self) -> (u64, u64) {
        let each = self.peers.values().map(Peer::connections);
        each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    fn connections_of_user(&self, user: &str) -> u64 {
        let others = self.peers.values().map(|peer| u64::from(peer.connections_of_user(user)));
        others.sum::<u64>() + u64::from(self.users.get(user).copied().unwrap_or(0))
    }

    /// Whether an address may connect once more: its first handshake is no reconnection.
    fn check_reconnections(&self, source: Source, now: u64) -> Result<(), Over> {
        let limit = i64::from(self.quotas.reconnections_per_hour);
        if limit == 0 {
            return Ok(());
        }
        let slot = self.span().slot(now);
        let lately = self.lately(source, slot);
        let mut left: i64 = lately.iter().sum();
        if left <= limit {
            return Ok(());
        }
        // The slots end one by one, and what was counted in them is forgotten with them.
        let gone = lately.iter().position(|count| {
            left -= count;
            left <= limit
        });
        let free_in = slot + gone.unwrap_or(KEPT - 1) as u64 + 1;
        Err(Over { limit: Limit::Reconnections, after_milliseconds: self.span().until(free_in, now).max(1) })
    }

    /// Handshakes of an address that count, by slot, over all gateways.
    fn lately(&self, source: Source, slot: u64) -> [i64; KEPT] {
        let others = self.peers.values().filter_map(|peer| peer.handshakes.of(source));
        let mut lately = [0; KEPT];
        for record in others.chain(self.handshakes.of(source)) {
            let counts = record.made.by_slot(slot).into_iter().zip(record.excused.by_slot(slot));
            for (sum, ((_, made), (_, excused))) in lately.iter_mut().zip(counts) {
                *sum += i64::from(made) - i64::from(excused);
            }
        }
        lately
    }

    /// Bounds what waits to be told.
    fn settle(&mut self) {
        let Changed { sources, users, handshakes, .. } = &self.changed;
        if sources.len().max(users.len()).max(handshakes.len()) > CHANGES {
            let question = self.changed.question;
            self.changed = Changed { everything: true, question, ..Changed::default() };
        }
    }
}
