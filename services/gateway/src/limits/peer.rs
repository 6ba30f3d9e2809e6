//! What another gateway has told of itself.

use std::{collections::HashMap, hash::Hash};

use carillon_contract::messages::{Tally, TallyPage};

use super::{
    Source,
    handshakes::Handshakes,
    window::{KEPT, Span},
};

/// How long a gateway may be silent before what it told is forgotten, in milliseconds. It says something
/// several times within that.
pub(super) const SILENCE: u64 = 10_000;

/// Addresses, and users, of one gateway that are taken in: more than it can have connections.
const MOST: usize = 1 << 20;

/// Another gateway.
#[derive(Debug, Default)]
pub(super) struct Peer {
    /// When it was last heard.
    heard: u64,
    /// The highest number of what it told.
    number: u64,
    /// The latest time that it told everything, and how many pages of that came.
    round: u64,
    pages: u32,
    sources: Told<Source>,
    users: Told<Box<str>>,
    pub(super) handshakes: Handshakes,
}

/// Connections by whose they are, and in which round they were last told.
#[derive(Debug)]
struct Told<K> {
    of: HashMap<K, (u32, u64)>,
    /// All of them.
    sum: u64,
}

impl<K> Default for Told<K> {
    fn default() -> Self {
        Self { of: HashMap::new(), sum: 0 }
    }
}

impl<K: Eq + Hash> Told<K> {
    fn set(&mut self, key: K, connections: u32, round: u64) {
        let before = if connections == 0 {
            self.of.remove(&key)
        } else if self.of.len() < MOST || self.of.contains_key(&key) {
            self.sum += u64::from(connections);
            self.of.insert(key, (connections, round))
        } else {
            None
        };
        self.sum -= before.map_or(0, |(connections, _)| u64::from(connections));
    }

    fn sweep(&mut self, round: u64) {
        self.of.retain(|_, (_, told)| *told >= round);
        self.of.shrink_to(2 * self.of.len());
        self.sum = self.of.values().map(|(connections, _)| u64::from(*connections)).sum();
    }
}

impl Peer {
    /// Whether a message is news. What comes late or again is not.
    pub(super) fn heard(&mut self, number: u64, now: u64) -> bool {
        let is_news = number > self.number;
        if is_news {
            (self.number, self.heard) = (number, now);
        }
        is_news
    }

    /// Takes in how many connections it has of whom.
    pub(super) fn count(&mut self, tally: &Tally) {
        if let Some(page) = &tally.page
            && page.round != self.round
        {
            (self.round, self.pages) = (page.round, 0);
        }
        for told in &tally.addresses {
            if let Some(source) = Source::of_bytes(&told.address) {
                self.sources.set(source, told.connections, self.round);
            }
        }
        for told in &tally.users {
            self.users.set(told.user.as_str().into(), told.connections, self.round);
        }
        if let Some(page) = &tally.page {
            self.turn(page);
        }
    }

    /// Everything was told if no page was lost: the rest is no more.
    fn turn(&mut self, page: &TallyPage) {
        self.pages += 1;
        if page.last && self.pages == page.index + 1 {
            self.sources.sweep(self.round);
            self.users.sweep(self.round);
        }
    }

    /// All its connections: as it counts them by address, and by user.
    pub(super) fn connections(&self) -> (u64, u64) {
        (self.sources.sum, self.users.sum)
    }

    pub(super) fn connections_of(&self, source: Source) -> u32 {
        self.sources.of.get(&source).map_or(0, |(connections, _)| *connections)
    }

    pub(super) fn connections_of_user(&self, user: &str) -> u32 {
        self.users.of.get(user).map_or(0, |(connections, _)| *connections)
    }

    /// Whether it has said nothing for so long that it must be taken for gone.
    pub(super) fn is_silent(&self, now: u64) -> bool {
        self.heard.saturating_add(SILENCE) <= now
    }

    /// Its connections are gone. Those that it didn't close itself were cut off with it: their clients come
    /// back through no fault of their own.
    pub(super) fn vanished(&mut self, slot: u64) {
        for (source, (connections, _)) in std::mem::take(&mut self.sources.of) {
            self.handshakes.at(source, slot).excused.add(slot, connections);
        }
        self.gone();
    }

    /// Its connections are gone, and it has closed them.
    pub(super) fn gone(&mut self) {
        self.sources = Told::default();
        self.users = Told::default();
    }

    pub(super) fn last_heard(&self) -> u64 {
        self.heard
    }

    pub(super) fn has_connections(&self) -> bool {
        !self.sources.of.is_empty() || !self.users.of.is_empty()
    }

    /// Whether nothing of it has to be remembered.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_connections() && self.handshakes.is_empty()
    }

    /// Takes in which handshakes somebody says that it has seen.
    pub(super) fn saw(
        &mut self,
        source: Source,
        (slot, made, excused): (u64, u32, u32),
        (span, now): (Span, u64),
    ) {
        let current = span.slot(now);
        // Clocks differ a little. What is farther off counts for nobody.
        if slot.abs_diff(current) < KEPT as u64 {
            let record = self.handshakes.at(source, current);
            record.made.raise(slot, made);
            record.excused.raise(slot, excused);
        }
    }
}
