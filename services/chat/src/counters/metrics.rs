//! What operators see of counters.

use carillon_instruments::{IntCounter, Registry, Result};

/// Figures about updates. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    /// Updates made and published.
    pub(super) applied: IntCounter,
    /// Updates asked for again, which had been made before.
    pub(super) repeated: IntCounter,
    /// Updates that would have gone too far, or reused another one's key.
    pub(super) refused: IntCounter,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            applied: registry
                .counter("carillon_chat_counter_updates_total", "Updates of counters, made and published.")?,
            repeated: registry.counter(
                "carillon_chat_counter_updates_repeated_total",
                "Updates asked for again, which had been made before.",
            )?,
            refused: registry.counter(
                "carillon_chat_counter_updates_refused_total",
                "Updates of counters that were refused as things were.",
            )?,
        })
    }
}
