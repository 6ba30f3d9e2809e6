//! How many messages there were in the last minute.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::Entrance;

const MINUTE: Duration = Duration::from_secs(60);

/// Messages received and sent since the gateway started.
pub(super) type Messages = (u64, u64);

/// What the counts were at each report of the last minute.
pub(super) struct Recent {
    /// What they were a minute ago, or when the gateway started.
    before: Box<[Messages]>,
    later: VecDeque<(Instant, Box<[Messages]>)>,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self { before: Entrance::all().map(|_| (0, 0)).collect(), later: VecDeque::new() }
    }

    /// Takes in what the counts are now, and tells by how much each has grown in the last minute.
    pub(super) fn grown(&mut self, counts: Box<[Messages]>, now: Instant) -> Vec<Messages> {
        while let Some((_, before)) =
            self.later.pop_front_if(|(at, _)| now.saturating_duration_since(*at) >= MINUTE)
        {
            self.before = before;
        }
        let grown = counts.iter().zip(&self.before);
        let grown = grown.map(|(count, before)| (count.0 - before.0, count.1 - before.1)).collect();
        self.later.push_back((now, counts));
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_more_than_a_minute_ago_no_longer_counts() {
        let (mut recent, start) = (Recent::new(), Instant::now());
        let mut at = |seconds, received| {
            let counts = Entrance::all().map(|entrance| (received, entrance.index() as u64)).collect();
            recent.grown(counts, start + Duration::from_secs(seconds))[1]
        };
        assert_eq!(at(0, 5), (5, 1), "since the gateway started");
        assert_eq!(at(30, 7), (7, 1));
        assert_eq!(at(59, 7), (7, 1));
        assert_eq!(at(60, 9), (4, 0));
        assert_eq!(at(90, 9), (2, 0));
        assert_eq!(at(1_000, 9), (0, 0));
        assert!(recent.later.len() <= 2);
    }
}
