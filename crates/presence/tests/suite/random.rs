//! Chance that can be repeated.

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// Random numbers; of a test that fails, the seed is told.
pub(crate) struct Random {
    seed: u64,
    numbers: StdRng,
}

impl Random {
    pub(crate) fn new() -> Self {
        Self::of(rand::random())
    }

    fn of(seed: u64) -> Self {
        Self { seed, numbers: StdRng::seed_from_u64(seed) }
    }

    /// Another source, which follows from this one.
    pub(crate) fn another(&mut self) -> Self {
        Self::of(self.numbers.random())
    }

    /// A number from 0 to below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.numbers.random_range(0..end)
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one_of<T: Clone>(&mut self, things: &[T]) -> Option<T> {
        let count = u64::try_from(things.len()).unwrap();
        (count > 0).then(|| things[usize::try_from(self.below(count)).unwrap()].clone())
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("a seed was {}", self.seed);
        }
    }
}
