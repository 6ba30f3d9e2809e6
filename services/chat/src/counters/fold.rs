//! Updates of a batch one after the other, on counters that are locked.

use std::collections::{BTreeMap, HashMap};

use super::update::{Change, Update};

/// A counter while a batch is applied to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counter {
    pub(super) value: i64,
    /// The number of its last update.
    pub(super) number: i64,
    pub(super) changed: bool,
}

/// An update that was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) change: Change,
    pub(super) total: i64,
    pub(super) position: i64,
}

/// What becomes of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is made: the counter's total after it, and its number.
    Made { total: i64, number: i64 },
    /// It is the update of this index in the batch.
    Again(usize),
    /// It was made before.
    Known(Known),
    /// Another update had its cause.
    CauseTaken,
    /// The total would be too large.
    OutOfRange,
}

/// Applies updates in order. `known`: those that were made before, in the order of `updates`.
pub(super) fn fold(
    counters: &mut BTreeMap<&str, Counter>,
    updates: &[&Update],
    known: &[Option<Known>],
) -> Vec<Fate> {
    let mut made: HashMap<(&str, &str), usize> = HashMap::new();
    let mut fates = Vec::with_capacity(updates.len());
    for (index, (update, known)) in updates.iter().copied().zip(known).enumerate() {
        let key = (update.counter.as_str(), update.cause.as_str());
        let fate = match (*known, made.get(&key).copied()) {
            (Some(known), _) if known.change == update.change => Fate::Known(known),
            (_, Some(earlier)) if updates[earlier].change == update.change => Fate::Again(earlier),
            (None, None) => counters.get_mut(key.0).map_or(Fate::OutOfRange, |it| it.take(update.change)),
            _ => Fate::CauseTaken,
        };
        if matches!(fate, Fate::Made { .. }) {
            made.insert(key, index);
        }
        fates.push(fate);
    }
    fates
}

impl Counter {
    fn take(&mut self, change: Change) -> Fate {
        let Some(total) = change.apply(self.value) else { return Fate::OutOfRange };
        *self = Self { value: total, number: self.number + 1, changed: true };
        Fate::Made { total, number: self.number }
    }
}

#[cfg(test)]
mod tests {
    use carillon_contract::Channel;
    use proptest::prelude::*;

    use super::{
        super::update::{Action, LARGEST},
        *,
    };

    fn update(counter: &str, cause: &str, value: i64) -> Update {
        let channel = Channel::new("counter", &[counter]).expect("a channel");
        let change = Change { action: Action::Increment, value };
        Update::of_request(counter, channel, change, cause.to_owned())
    }

    fn folded(start: i64, updates: &[Update], known: &[Option<Known>]) -> (Vec<Fate>, BTreeMap<String, i64>) {
        let fresh = Counter { value: start, number: 10, changed: false };
        let mut counters: BTreeMap<&str, Counter> =
            updates.iter().map(|update| (update.counter.as_str(), fresh)).collect();
        let fates = fold(&mut counters, &updates.iter().collect::<Vec<_>>(), known);
        (fates, counters.into_iter().map(|(name, counter)| (name.to_owned(), counter.value)).collect())
    }

    #[test]
    fn each_cause_counts_once() {
        let updates = [update("a", "1", 5), update("b", "1", 7), update("a", "1", 5), update("a", "2", 1)];
        let (fates, values) = folded(0, &updates, &[None; 4]);
        assert_eq!(fates[0], Fate::Made { total: 5, number: 11 });
        assert_eq!(fates[1], Fate::Made { total: 7, number: 11 });
        assert_eq!(fates[2], Fate::Again(0));
        assert_eq!(fates[3], Fate::Made { total: 6, number: 12 });
        assert_eq!((values["a"], values["b"]), (6, 7));
    }

    #[test]
    fn what_was_made_before_changes_nothing() {
        let known = Known { change: update("a", "1", 5).change, total: 5, position: 1 };
        let updates = [update("a", "1", 5), update("a", "1", 6), update("a", "2", 1), update("a", "2", 2)];
        let (fates, values) = folded(5, &updates, &[Some(known), Some(known), None, None]);
        assert_eq!(fates[..2], [Fate::Known(known), Fate::CauseTaken]);
        assert_eq!(fates[2..], [Fate::Made { total: 6, number: 11 }, Fate::CauseTaken]);
        assert_eq!(values["a"], 6);
    }

    #[test]
    fn what_goes_too_far_keeps_no_other_back() {
        let updates = [update("a", "1", LARGEST), update("a", "2", 1), update("a", "3", -1)];
        let (fates, values) = folded(0, &updates, &[None; 3]);
        assert_eq!(fates[1], Fate::OutOfRange);
        assert_eq!(fates[2], Fate::Made { total: LARGEST - 1, number: 12 });
        assert_eq!(values["a"], LARGEST - 1);
    }

    proptest! {
        /// Totals are the running sums of what counts.
        #[test]
        fn totals_are_running_sums(items in prop::collection::vec((0..3_u8, 0..20_u8, -9_i64..9), 0..60)) {
            let updates: Vec<_> = items
                .iter()
                .map(|(counter, cause, value)| update(&counter.to_string(), &cause.to_string(), *value))
                .collect();
            let (fates, values) = folded(0, &updates, &vec![None; updates.len()]);
            let mut sums: BTreeMap<String, i64> = BTreeMap::new();
            for (update, fate) in updates.iter().zip(fates) {
                let sum = sums.entry(update.counter.clone()).or_default();
                if let Fate::Made { total, .. } = fate {
                    *sum += update.change.value;
                    prop_assert_eq!(total, *sum);
                }
            }
            prop_assert_eq!(sums, values);
        }
    }
}
