//! What one connection has got of one sender.

use std::collections::BTreeSet;

/// More than this many that are missing at once are not remembered one by one.
const REMEMBERED: usize = 100_000;

/// Numbers that have come: all up to the last, but for those that are missing.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    last: u64,
    missing: BTreeSet<u64>,
}

/// What has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    /// One that had not come, after those before it.
    InOrder,
    /// One that had not come, after one that follows it.
    Late,
    /// One that had come.
    Again,
}

impl Ledger {
    /// A message has come.
    pub(super) fn take(&mut self, number: u64) -> Arrival {
        if number > self.last {
            let between = (self.last + 1..number).take(REMEMBERED.saturating_sub(self.missing.len()));
            self.missing.extend(between);
            self.last = number;
            return Arrival::InOrder;
        }
        if self.missing.remove(&number) { Arrival::Late } else { Arrival::Again }
    }

    /// Which of those that were accepted have not come.
    pub(super) fn lost(&self, accepted: &BTreeSet<u64>, all_up_to: u64) -> u64 {
        let is_accepted = |number: &u64| *number <= all_up_to || accepted.contains(number);
        let between = self.missing.iter().filter(|number| is_accepted(number)).count() as u64;
        let tail = all_up_to.saturating_sub(self.last);
        let beyond = accepted.range(self.last.max(all_up_to) + 1..).count() as u64;
        between + tail + beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_late_again_or_never_is_told_apart() {
        let mut ledger = Ledger::default();
        let taken: Vec<Arrival> = [1, 2, 5, 4, 4, 6].into_iter().map(|number| ledger.take(number)).collect();
        use Arrival::{Again, InOrder, Late};
        assert_eq!(taken, [InOrder, InOrder, InOrder, Late, Again, InOrder]);
        // 3 never came, and 7 and 9 didn't; 8 was not accepted.
        assert_eq!(ledger.lost(&BTreeSet::from([9]), 7), 3);
        assert_eq!(ledger.lost(&BTreeSet::from([5, 6, 7]), 2), 1);
        assert_eq!(Ledger::default().lost(&BTreeSet::new(), 4), 4);
    }
}
