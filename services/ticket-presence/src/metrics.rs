//! What operators see of changes.

use prometheus::{Histogram, HistogramOpts, IntCounter, Registry};

/// Counters of what was done. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// Changes stored and published.
    pub(crate) changes: IntCounter,
    /// From a change's arrival until it was committed and published, or refused.
    pub(crate) seconds: Histogram,
    /// Back ends' events stored and published.
    pub(crate) events: IntCounter,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            changes: IntCounter::new(
                "carillon_projects_changes_total",
                "Changes of tickets, comments and statuses stored and published.",
            )?,
            seconds: Histogram::with_opts(HistogramOpts::new(
                "carillon_projects_change_duration_seconds",
                "Time from a change's arrival until it was committed and published, or refused.",
            ))?,
            events: IntCounter::new(
                "carillon_projects_events_total",
                "Back ends' events stored and published.",
            )?,
        };
        registry.register(Box::new(metrics.changes.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.events.clone()))?;
        Ok(metrics)
    }
}
