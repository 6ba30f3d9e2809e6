//! What operators see of counters.

use prometheus::{IntCounter, Registry};

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
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(format!("carillon_chat_counter_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        Ok(Self {
            applied: counter("updates_total", "Updates of counters, made and published.")?,
            repeated: counter(
                "updates_repeated_total",
                "Updates asked for again, which had been made before.",
            )?,
            refused: counter(
                "updates_refused_total",
                "Updates of counters that were refused as things were.",
            )?,
        })
    }
}
