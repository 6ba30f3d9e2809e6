//! One worker's timers, in whole seconds: heartbeats on a wheel, ends of tokens in a heap.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use super::connection::Key;

/// Due times of connections. Those of connections that are gone fall out when they come up.
pub(super) struct Timers {
    wheel: Vec<Vec<Key>>,
    /// The first second whose bucket was not looked at yet.
    next: u32,
    heap: BinaryHeap<Reverse<(u32, usize, u32)>>,
}

impl Timers {
    /// Timers that bring up each watched connection every `period` seconds.
    pub(super) fn new(period: u32) -> Self {
        let buckets = usize::try_from(period.max(1)).unwrap_or(1);
        Self { wheel: vec![Vec::new(); buckets], next: 1, heap: BinaryHeap::new() }
    }

    /// Brings a connection up one period after `second`, once.
    pub(super) fn watch(&mut self, key: Key, second: u32) {
        let bucket = self.bucket(second);
        self.wheel[bucket].push(key);
    }

    /// Connections to look at in this second, with those of seconds that a busy worker left out.
    /// Those still there are to be watched again.
    pub(super) fn heartbeats(&mut self, second: u32) -> Vec<Key> {
        let mut keys = Vec::new();
        for second in (self.next..=second).take(self.wheel.len()) {
            let bucket = self.bucket(second);
            keys.append(&mut self.wheel[bucket]);
        }
        self.next = self.next.max(second.saturating_add(1));
        keys
    }

    /// Whether the worker stood still: it can't have heard from anyone then.
    pub(super) fn is_late(&self, second: u32) -> bool {
        second > self.next.saturating_add(1)
    }

    /// Brings a connection up once.
    pub(super) fn schedule(&mut self, key: Key, second: u32) {
        self.heap.push(Reverse((second, key.slot, key.life)));
    }

    /// Connections whose scheduled second has come, each once.
    pub(super) fn due(&mut self, second: u32) -> Vec<Key> {
        let mut due = HashMap::new();
        while let Some(Reverse((when, slot, life))) = self.heap.peek().copied() {
            if when > second {
                break;
            }
            self.heap.pop();
            due.insert((slot, life), Key { slot, life });
        }
        due.into_values().collect()
    }

    fn bucket(&self, second: u32) -> usize {
        usize::try_from(second).unwrap_or(0) % self.wheel.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watched_connection_comes_up_once_a_period_and_a_scheduled_one_once() {
        let key = Key { slot: 1, life: 7 };
        let mut timers = Timers::new(3);
        assert!(timers.heartbeats(4).is_empty());
        timers.watch(key, 4);
        assert!(timers.heartbeats(5).is_empty());
        assert!(!timers.is_late(7));
        assert_eq!(timers.heartbeats(7), [key]);
        assert!(timers.heartbeats(10).is_empty());
        timers.schedule(key, 9);
        timers.schedule(key, 10);
        assert!(timers.due(8).is_empty());
        assert_eq!(timers.due(11), [key]);
        assert!(timers.due(12).is_empty());
    }

    #[test]
    fn a_second_that_was_left_out_is_made_up_for() {
        let keys = [1, 2, 3].map(|slot| Key { slot, life: 7 });
        let mut timers = Timers::new(25);
        timers.heartbeats(11);
        for (key, second) in keys.into_iter().zip([9, 10, 11]) {
            timers.watch(key, second);
        }
        assert!(timers.heartbeats(33).is_empty());
        assert_eq!(timers.heartbeats(35), keys[..2]);
        assert!(timers.is_late(38));
        assert_eq!(timers.heartbeats(500), keys[2..]);
    }
}
