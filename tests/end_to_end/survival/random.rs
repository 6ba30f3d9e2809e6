//! Chance that can be repeated.

use anyhow::Context;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

/// Set this variable to the seed that a failure tells, to have the same chances again.
const SEED: &str = "CARILLON_TEST_SEED";

/// Random numbers.
pub(super) struct Random(StdRng);

/// A seed to begin with: any, or the one that is asked for.
pub(super) fn seed() -> anyhow::Result<u64> {
    match std::env::var(SEED) {
        Ok(text) => text.parse().with_context(|| format!("{SEED}={text}")),
        Err(_) => Ok(rand::random()),
    }
}

impl Random {
    pub(super) fn of(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// Another source, which follows from this one.
    pub(super) fn another(&mut self) -> Self {
        Self::of(self.0.random())
    }

    /// A number from 0 to below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    /// True so many times of a hundred.
    pub(super) fn percent(&mut self, times: usize) -> bool {
        self.below(100) < times
    }

    /// Any of these.
    pub(super) fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }
}
