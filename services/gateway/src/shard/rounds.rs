//! When to hold a round of writes. A write costs the same for one event as for sixteen, so what is under way on a busy
//! channel had better leave together. It doesn't by itself: events that once arrived during a round leave in the next one,
//! what follows from them arrives apart again, and so each round carries a part of what could leave in one. Therefore
//! a round of many that follows hard upon another waits a moment for what that one causes.

use std::time::{Duration, Instant};

/// Rounds of fewer connections are never held: there is little to save.
pub(super) const MANY: usize = 128;

/// A held round begins when events have arrived and for so long no other,
const QUIET: Duration = Duration::from_micros(300);

/// or when it was held for so long,
const LONGEST: Duration = Duration::from_millis(4);

/// or for so many times as long as the last round took.
const TIMES: u32 = 2;

/// What is known of the rounds of one line.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    last: Option<Round>,
    /// Events that have arrived since the last one began.
    events: usize,
    /// When the first and the last of them did.
    heard: Option<(Instant, Instant)>,
}

#[derive(Debug)]
struct Round {
    began: Instant,
    ended: Option<Instant>,
    is_of_many: bool,
    /// Whether it brought several events, or left some to the next one.
    is_busy: bool,
}

impl Rounds {
    /// So many events have arrived for those who wait.
    pub(super) fn hear(&mut self, events: usize, now: Instant) {
        self.events += events;
        let (first, _) = self.heard.unwrap_or((now, now));
        self.heard = Some((first, now));
    }

    /// A round for so many connections begins.
    pub(super) fn begin(&mut self, connections: usize, now: Instant) {
        let (is_of_many, is_busy) = (connections >= MANY, self.events > 1);
        self.last = Some(Round { began: now, ended: None, is_of_many, is_busy });
        (self.events, self.heard) = (0, None);
    }

    /// The round that is under way, if one is, has been written.
    pub(super) fn end(&mut self, some_wait: bool, now: Instant) {
        if let Some(round) = self.last.as_mut().filter(|round| round.ended.is_none()) {
            round.ended = Some(now);
            round.is_busy |= some_wait;
        }
    }

    /// Whether the last round was one of many connections.
    pub(super) fn is_of_many(&self) -> bool {
        self.last.as_ref().is_some_and(|round| round.is_of_many)
    }

    /// Until when the next round is held, after the last has ended. `None`: it is not.
    pub(super) fn held_until(&self) -> Option<Instant> {
        let round = self.last.as_ref().filter(|round| round.is_of_many && round.is_busy)?;
        let (ended, (first, last)) = (round.ended?, self.heard?);
        let longest = LONGEST.min(TIMES * (ended - round.began));
        if first > ended + longest {
            return None;
        }
        let until = first.max(ended) + longest;
        Some(if last > ended { until.min(last + QUIET) } else { until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A round of a millisecond, which brought so many events, and after which some wait or nobody.
    fn round(connections: usize, events: usize, some_wait: bool) -> (Rounds, Instant) {
        let (mut rounds, start) = (Rounds::default(), Instant::now());
        rounds.hear(events, start);
        rounds.begin(connections, start);
        let end = start + Duration::from_millis(1);
        rounds.end(some_wait, end);
        (rounds, end)
    }

    #[test]
    fn events_of_a_calm_channel_and_of_few_are_not_held() {
        for (connections, events) in [(MANY, 1), (MANY - 1, 16)] {
            let (mut rounds, end) = round(connections, events, false);
            rounds.hear(1, end + QUIET);
            assert_eq!(rounds.held_until(), None, "{connections} connections, {events} events");
        }
        let (mut rounds, end) = round(MANY, 16, false);
        rounds.hear(1, end + LONGEST);
        assert_eq!(rounds.held_until(), None, "long after the last");
    }

    #[test]
    fn a_held_round_begins_when_nothing_more_arrives() {
        let (mut rounds, end) = round(MANY, 16, false);
        let (first, last) = (end + Duration::from_micros(700), end + Duration::from_micros(900));
        rounds.hear(1, first);
        assert_eq!(rounds.held_until(), Some(first + QUIET));
        rounds.hear(1, last);
        assert_eq!(rounds.held_until(), Some(last + QUIET));
    }

    #[test]
    fn events_that_arrived_during_a_round_wait_for_those_that_it_causes_but_not_for_long() {
        let (mut rounds, start) = (Rounds::default(), Instant::now());
        rounds.begin(MANY, start);
        rounds.hear(1, start + Duration::from_micros(100));
        let end = start + Duration::from_millis(1);
        rounds.end(true, end);
        let until = end + TIMES * (end - start);
        assert_eq!(rounds.held_until(), Some(until));
        rounds.hear(1, until - QUIET / 2);
        assert_eq!(rounds.held_until(), Some(until), "no longer than that");
    }
}
