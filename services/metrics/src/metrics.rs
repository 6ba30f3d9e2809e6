//! What operators see of the metrics service itself.

use prometheus::{IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};

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
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            reports: IntCounterVec::new(
                Opts::new(
                    "carillon_metrics_reports_total",
                    "Reports of gateways that were heard: the latest, old, refused, malformed, or too late to be added to the totals.",
                ),
                &["outcome"],
            )?,
            gateways: IntGaugeVec::new(
                Opts::new("carillon_metrics_gateways", "Gateways that tell of themselves, by state."),
                &["state"],
            )?,
            saves: IntCounterVec::new(
                Opts::new(
                    "carillon_metrics_saves_total",
                    "Rounds in which what was heard of gateways was written to the database, by outcome.",
                ),
                &["outcome"],
            )?,
            folded: IntCounter::new(
                "carillon_metrics_folded_gateways_total",
                "Gateways that are gone for good, whose figures were added to the totals.",
            )?,
        };
        registry.register(Box::new(metrics.reports.clone()))?;
        registry.register(Box::new(metrics.gateways.clone()))?;
        registry.register(Box::new(metrics.saves.clone()))?;
        registry.register(Box::new(metrics.folded.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn reported(&self, outcome: &str) {
        self.reports.with_label_values(&[outcome]).inc();
    }
}
