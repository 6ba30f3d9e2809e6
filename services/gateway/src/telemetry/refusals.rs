//! Handshakes that were refused, by where they would have come in.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Entrance;

/// How many there have been, by the gateway and by endpoints' owners. Shared by all workers: refusing is rare.
pub(crate) struct Refusals(Box<[AtomicU64]>);

impl Default for Refusals {
    fn default() -> Self {
        Self(Entrance::all().map(|_| AtomicU64::new(0)).collect())
    }
}

impl Refusals {
    /// Counts one.
    pub(crate) fn count(&self, entrance: Entrance) {
        self.0[entrance.index()].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn of(&self, entrance: Entrance) -> u64 {
        self.0[entrance.index()].load(Ordering::Relaxed)
    }
}
