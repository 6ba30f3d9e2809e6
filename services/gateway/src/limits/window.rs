//! Counting what has happened within the last so much time, in a few numbers.

/// Slots that a window is divided into. What is counted stays so for a window, and up to a slot longer.
const SLOTS: u64 = 6;

/// Those, and the one that has begun.
pub(super) const KEPT: usize = 7;

/// How long a slot lasts, and so which one a moment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    slot_milliseconds: u64,
}

impl Span {
    pub(super) const SECOND: Self = Self { slot_milliseconds: 1_000_u64.div_ceil(SLOTS) };

    pub(crate) fn of_seconds(window: u32) -> Self {
        Self { slot_milliseconds: (u64::from(window) * 1_000).div_ceil(SLOTS).max(1) }
    }

    pub(super) fn slot_milliseconds(self) -> u64 {
        self.slot_milliseconds
    }

    /// The slot of a moment in milliseconds.
    pub(crate) fn slot(self, now: u64) -> u64 {
        now / self.slot_milliseconds
    }

    /// Milliseconds until a slot begins.
    pub(super) fn until(self, slot: u64, now: u64) -> u64 {
        slot.saturating_mul(self.slot_milliseconds).saturating_sub(now)
    }
}

/// How much there was in each of the latest slots.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Window {
    newest: u64,
    /// By slot, modulo their number; of those up to `newest`.
    counts: [u32; KEPT],
}

impl Window {
    /// One more in this slot.
    pub(crate) fn add(&mut self, slot: u64, count: u32) {
        let kept = self.at(slot);
        *kept = kept.saturating_add(count);
    }

    /// At least so many in a slot, unless it is long past.
    pub(super) fn raise(&mut self, slot: u64, count: u32) {
        if slot + KEPT as u64 > self.newest {
            let kept = self.at(slot);
            *kept = count.max(*kept);
        }
    }

    /// How many there were up to this slot, as far as they count in it.
    pub(crate) fn total(&self, slot: u64) -> u32 {
        self.by_slot(slot).iter().fold(0, |total, (_, count)| total.saturating_add(*count))
    }

    /// The first slot from which on there are fewer than `limit`, if none is added.
    pub(super) fn free_from(&self, slot: u64, limit: u32) -> u64 {
        let (mut left, mut free) = (self.total(slot), slot);
        for (past, count) in self.by_slot(slot) {
            if left < limit {
                break;
            }
            left = left.saturating_sub(count);
            free = past + KEPT as u64;
        }
        free
    }

    /// The slots that count in this one, oldest first. What is ahead of it (clocks differ) counts as its own.
    pub(super) fn by_slot(&self, slot: u64) -> [(u64, u32); KEPT] {
        let newest = slot.max(self.newest);
        std::array::from_fn(|place| {
            match (newest + place as u64 + 1).checked_sub(KEPT as u64) {
                Some(slot) => (slot, self.in_slot(slot)),
                // Before the first of all slots there was nothing.
                None => (0, 0),
            }
        })
    }

    /// How many there are in one slot.
    pub(super) fn in_slot(&self, slot: u64) -> u32 {
        let is_kept = slot <= self.newest && slot + KEPT as u64 > self.newest;
        if is_kept { self.counts[index(slot)] } else { 0 }
    }

    /// Whether nothing counts any more.
    pub(super) fn is_over(&self, slot: u64) -> bool {
        self.newest + KEPT as u64 <= slot
    }

    /// The slot's count, with those in between emptied. One that is past is the newest one's: time that is
    /// set back doesn't free anyone.
    fn at(&mut self, slot: u64) -> &mut u32 {
        if slot > self.newest {
            let passed = (slot - self.newest).min(KEPT as u64);
            for empty in 0..passed {
                self.counts[index(slot - empty)] = 0;
            }
            self.newest = slot;
        }
        let is_kept = slot + KEPT as u64 > self.newest;
        &mut self.counts[index(if is_kept { slot } else { self.newest })]
    }
}

fn index(slot: u64) -> usize {
    usize::try_from(slot % KEPT as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_counted_counts_for_a_window_and_at_most_a_slot_longer() {
        let span = Span::of_seconds(60);
        let mut window = Window::default();
        for now in [9_999, 10_000, 10_001] {
            window.add(span.slot(now), 1);
        }
        assert_eq!([9_999, 10_001, 69_999].map(|now| window.total(span.slot(now))), [3, 3, 3]);
        assert_eq!([70_000, 79_999, 80_000].map(|now| window.total(span.slot(now))), [2, 2, 0]);
        assert_eq!(span.until(8, 79_000), 1_000);
        assert_eq!(Span::of_seconds(0).slot(5), 5);
    }

    proptest! {
        #[test]
        fn the_slot_from_which_there_is_room_is_the_first(
            counts in prop::collection::vec((0u64..3, 1u32..5), 1..9),
            ahead in 0u64..9,
            limit in 1u32..12,
        ) {
            let (mut window, mut slot) = (Window::default(), 3);
            for (step, count) in counts {
                slot += step;
                window.add(slot, count);
            }
            let now = slot + ahead;
            let first = (now..).find(|slot| window.total(*slot) < limit).expect("a slot");
            prop_assert_eq!(window.free_from(now, limit), first);
        }

        /// Never fewer than in the last window, never more than in one that is a slot longer.
        #[test]
        fn a_window_counts_neither_too_few_nor_too_many(
            steps in prop::collection::vec(0u64..400, 1..200),
            start in 0u64..100_000,
        ) {
            let span = Span { slot_milliseconds: 100 };
            let (mut window, mut now, mut moments) = (Window::default(), start, Vec::new());
            for step in steps {
                now += step;
                moments.push(now);
                window.add(span.slot(now), 1);
                let since = |length: u64| moments.iter().filter(|then| **then + length > now).count() as u32;
                let total = window.total(span.slot(now));
                prop_assert!(since(600) <= total && total <= since(700), "{total}");
            }
        }

        #[test]
        fn a_window_that_is_raised_by_anothers_slots_in_any_order_is_that_other(
            steps in prop::collection::vec((0u64..9, 1u32..5), 1..40),
            order in any::<prop::sample::Index>(),
        ) {
            let (mut window, mut slot) = (Window::default(), 50);
            for (step, count) in steps {
                slot += step;
                window.add(slot, count);
            }
            let mut told = window.by_slot(slot).to_vec();
            let middle = order.index(told.len());
            told.rotate_left(middle);
            let mut copy = Window::default();
            for (slot, count) in told.iter().chain(&told) {
                copy.raise(*slot, *count);
            }
            prop_assert_eq!(copy.by_slot(slot), window.by_slot(slot));
        }
    }
}
