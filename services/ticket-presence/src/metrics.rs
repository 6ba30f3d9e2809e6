//! What operators see of changes.

use carillon_instruments::{Histogram, IntCounter, Registry, Result, SECONDS};

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
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            changes: registry.counter(
                "carillon_projects_changes_total",
                "Changes of tickets, comments and statuses stored and published.",
            )?,
            seconds: registry.histogram(
                "carillon_projects_change_duration_seconds",
                "Time from a change's arrival until it was committed and published, or refused.",
                &SECONDS,
            )?,
            events: registry
                .counter("carillon_projects_events_total", "Back ends' events stored and published.")?,
        })
    }
}
