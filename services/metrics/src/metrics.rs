//! What operators see of the metrics service itself.

use carillon_instruments::{IntCounter, IntCounterVec, IntGaugeVec, Registry, Result};

/// Counters of what is heard and kept. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// Reports of gateways, by what became of them.
    pub(crate) reports: IntCounterVec,
    /// Gateways that are there, by state.
    pub(crate) gateways: IntGaugeVec,
    /// Times that what was heard was written, by outcome.
    pub(crate) saves: IntCounterVec,
    /// Gateways whose figures have become part of the totals.
    pub(crate) folded: IntCounter,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            reports: registry.counters(
                "carillon_metrics_reports_total",
                "Reports of gateways that were heard: the latest, old, refused, malformed, or too late to be added to the totals.",
                &["outcome"],
            )?,
            gateways: registry.gauges(
                "carillon_metrics_gateways",
                "Gateways that tell of themselves, by state.",
                &["state"],
            )?,
            saves: registry.counters(
                "carillon_metrics_saves_total",
                "Rounds in which what was heard of gateways was written to the database, by outcome.",
                &["outcome"],
            )?,
            folded: registry.counter(
                "carillon_metrics_folded_gateways_total",
                "Gateways that are gone for good, whose figures were added to the totals.",
            )?,
        })
    }

    pub(crate) fn reported(&self, outcome: &str) {
        self.reports.with_label_values(&[outcome]).inc();
    }
}
