//! Who waits to be written to: the connections of each channel in a line of their own, and the lines in turns, so that a
//! channel of many doesn't keep those of others waiting.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    time::Instant,
};

use super::{
    marks::Marks,
    rounds::{MANY, Rounds},
};

/// The lines, and whose turn is next. A connection stands in one of them at most, whoever else writes to it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// By the place of the channel: one that is gone leaves its line behind until that has been served.
    lines: HashMap<usize, Waiting>,
    order: VecDeque<usize>,
    /// The memory of a line that has ended, for the next one.
    spare: VecDeque<usize>,
    /// Of channels that have no line, and had many in it.
    rounds: HashMap<usize, Rounds>,
    held_until: Option<Instant>,
}

/// The connections that wait for their channel's turn. It is served in rounds: whoever comes while one is under
/// way waits for the next.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    waiting: VecDeque<usize>,
    /// How many of them are yet to be served in the round that is under way.
    left: usize,
    rounds: Rounds,
    /// The events that they wait for.
    events: Marks,
}

impl Waiting {
    pub(super) fn push(&mut self, slot: usize) {
        self.waiting.push_back(slot);
    }

    /// Whoever waits here gets an event that was appended then (microseconds since 1970).
    pub(super) fn mark(&mut self, at: i64) {
        self.events.add(self.waiting.len(), at);
    }

    /// So many events have arrived for those who wait here.
    pub(super) fn hear(&mut self, events: usize, now: Instant) {
        self.rounds.hear(events, now);
    }

    /// Between two rounds: until when the next is held.
    fn held_until(&self, now: Instant) -> Option<Instant> {
        let until = self.rounds.held_until().filter(|_| self.waiting.len() >= MANY);
        until.filter(|until| *until > now)
    }
}

impl Turns {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// If every line is held: when to look at them again.
    pub(super) fn held_until(&self) -> Option<Instant> {
        self.held_until
    }

    /// The line of a channel, to whose end connections are put.
    pub(super) fn line(&mut self, channel: usize) -> &mut Waiting {
        let Self { lines, order, spare, rounds, held_until } = self;
        *held_until = None;
        lines.entry(channel).or_insert_with(|| {
            order.push_back(channel);
            Waiting {
                waiting: mem::take(spare),
                rounds: rounds.remove(&channel).unwrap_or_default(),
                left: 0,
                events: Marks::default(),
            }
        })
    }

    /// Takes the next `count` connections: as many as that of one line, if it has them, and of the next line
    /// the next time; and the times of the events that nobody waits for any more once these have been written to.
    /// They are before this is asked again.
    pub(super) fn take(
        &mut self,
        count: usize,
        slots: &mut Vec<usize>,
        through: &mut Vec<i64>,
        now: Instant,
    ) {
        let mut held: Option<Instant> = None;
        for _ in 0..self.order.len() {
            if slots.len() == count {
                break;
            }
            let Some(channel) = self.order.pop_front() else { break };
            let Some(line) = self.lines.get_mut(&channel) else { continue };
            if line.left == 0 {
                line.rounds.end(!line.waiting.is_empty(), now);
                if line.waiting.is_empty() {
                    line.events.advance(0, through);
                    self.remove(channel);
                    continue;
                }
                if let Some(until) = line.held_until(now) {
                    held = Some(held.map_or(until, |other| other.min(until)));
                    self.order.push_back(channel);
                    continue;
                }
                line.left = line.waiting.len();
                line.rounds.begin(line.left, now);
            }
            let fitting = line.left.min(count - slots.len());
            slots.extend(line.waiting.drain(..fitting));
            line.left -= fitting;
            line.events.advance(fitting, through);
            // The end of a round of many is when it has been written.
            if line.waiting.is_empty() && !line.rounds.is_of_many() {
                self.remove(channel);
            } else {
                self.order.push_back(channel);
            }
        }
        self.held_until = held.filter(|_| slots.is_empty());
    }

    fn remove(&mut self, channel: usize) {
        let Some(line) = self.lines.remove(&channel) else { return };
        self.spare = line.waiting;
        if line.rounds.is_of_many() {
            self.rounds.insert(channel, line.rounds);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn join(turns: &mut Turns, channel: usize, slots: impl IntoIterator<Item = usize>) {
        let line = turns.line(channel);
        slots.into_iter().for_each(|slot| line.push(slot));
    }

    fn take(turns: &mut Turns, count: usize) -> Vec<usize> {
        take_at(turns, count, Instant::now())
    }

    fn take_at(turns: &mut Turns, count: usize, now: Instant) -> Vec<usize> {
        let mut slots = Vec::new();
        turns.take(count, &mut slots, &mut Vec::new(), now);
        slots
    }

    #[test]
    fn a_long_line_does_not_keep_a_short_one_waiting() {
        let mut turns = Turns::default();
        join(&mut turns, 7, 0..10);
        assert_eq!(take(&mut turns, 4), [0, 1, 2, 3]);
        join(&mut turns, 8, [20, 21]);
        join(&mut turns, 7, [0]);
        assert_eq!(take(&mut turns, 4), [4, 5, 6, 7]);
        assert_eq!(take(&mut turns, 4), [20, 21, 8, 9]);
        assert!(!turns.is_empty());
        assert_eq!(take(&mut turns, 4), [0]);
        assert!(turns.is_empty() && turns.lines.is_empty());
    }

    #[test]
    fn a_line_that_nobody_joined_ends() {
        let mut turns = Turns::default();
        turns.line(1);
        assert!(take(&mut turns, 4).is_empty() && turns.is_empty());
    }

    /// The first round leaves at once, and so does a short line; the next round of many waits for company.
    #[test]
    fn a_round_that_follows_hard_upon_another_is_held() {
        let (mut turns, start) = (Turns::default(), Instant::now());
        let after = |micros| start + Duration::from_micros(micros);
        join(&mut turns, 7, 0..MANY);
        turns.line(7).hear(1, start);
        assert_eq!(take_at(&mut turns, MANY, start).len(), MANY);
        join(&mut turns, 7, 0..MANY);
        turns.line(7).hear(1, after(500));
        assert!(take_at(&mut turns, MANY, after(1_000)).is_empty());
        let until = turns.held_until().expect("a held line");
        join(&mut turns, 8, [500]);
        assert_eq!(turns.held_until(), None);
        assert_eq!(take_at(&mut turns, MANY, after(1_000)), [500]);
        turns.line(7).hear(1, after(1_100));
        assert!(take_at(&mut turns, MANY, after(1_200)).is_empty() && turns.held_until() < Some(until));
        assert_eq!(take_at(&mut turns, MANY, until).len(), MANY);
        assert!(take_at(&mut turns, MANY, until).is_empty() && turns.is_empty());
    }
}
