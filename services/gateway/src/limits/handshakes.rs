//! How often each address has connected lately, to one gateway. Bounded, however many addresses come.

use std::collections::HashMap;

use super::{Source, window::Window};

/// Addresses that are remembered of one gateway: 8 MB. When that is too few, those go first that have
/// connected least: one that comes once is let in again all the same.
pub(super) const REMEMBERED: usize = 65_536;

/// Handshakes, and how many of them are not to count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Record {
    pub(super) made: Window,
    pub(super) excused: Window,
}

impl Record {
    fn weight(&self, slot: u64) -> u32 {
        self.made.total(slot).saturating_sub(self.excused.total(slot))
    }

    fn is_over(&self, slot: u64) -> bool {
        self.made.is_over(slot) && self.excused.is_over(slot)
    }
}

/// The records of one gateway.
#[derive(Debug, Clone, Default)]
pub(super) struct Handshakes(HashMap<Source, Record>);

impl Handshakes {
    pub(super) fn of(&self, source: Source) -> Option<&Record> {
        self.0.get(&source)
    }

    /// The address's record, for a change in this slot.
    pub(super) fn at(&mut self, source: Source, slot: u64) -> &mut Record {
        if self.0.len() >= REMEMBERED && !self.0.contains_key(&source) {
            self.make_room(slot);
        }
        self.0.entry(source).or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Source, &Record)> {
        self.0.iter().map(|(source, record)| (*source, record))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Drops what no longer counts.
    pub(super) fn forget(&mut self, slot: u64) {
        self.0.retain(|_, record| !record.is_over(slot));
        self.0.shrink_to(2 * self.0.len());
    }

    /// Drops what no longer counts, and if that is too little the quarter that weighs least.
    fn make_room(&mut self, slot: u64) {
        self.forget(slot);
        let mut excess = self.0.len().saturating_sub(REMEMBERED / 4 * 3);
        if excess == 0 {
            return;
        }
        let mut weights: Vec<u32> = self.0.values().map(|record| record.weight(slot)).collect();
        let (_, &mut least, _) = weights.select_nth_unstable(excess - 1);
        self.0.retain(|_, record| {
            let goes = excess > 0 && record.weight(slot) <= least;
            excess -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_addresses_come_those_that_insist_are_remembered() {
        let mut handshakes = Handshakes::default();
        let insistent: Vec<Source> = (0..1_000).map(Source::V4).collect();
        for source in &insistent {
            handshakes.at(*source, 100).made.add(100, 11);
        }
        for network in 0..500_000 {
            handshakes
                .at(Source::V6(network << 3), 100 + network / 100_000)
                .made
                .add(100 + network / 100_000, 1);
            assert!(handshakes.0.len() <= REMEMBERED);
        }
        assert!(insistent.iter().all(|source| handshakes.of(*source).is_some()));
        handshakes.forget(107);
        assert!(handshakes.of(Source::V4(0)).is_none());
        handshakes.forget(200);
        assert!(handshakes.is_empty() && handshakes.0.capacity() < 100);
    }

    #[test]
    fn where_all_weigh_the_same_some_make_room() {
        let mut handshakes = Handshakes::default();
        for network in 0..200_000 {
            handshakes.at(Source::V6(network), 5).made.add(5, 3);
            assert!(handshakes.of(Source::V6(network)).is_some() && handshakes.0.len() <= REMEMBERED);
        }
    }
}
