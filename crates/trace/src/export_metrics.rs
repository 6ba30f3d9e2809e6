//! What Prometheus is told about spans on their way.

use carillon_instruments::{IntCounter, IntCounterVec, Opts, Registry, Result};

/// What became of the spans of this process.
#[derive(Debug, Clone)]
pub(crate) struct ExportMetrics {
    spans: IntCounterVec,
    pub(crate) exported: IntCounter,
    pub(crate) failed: IntCounter,
    pub(crate) dropped: IntCounter,
}

impl ExportMetrics {
    pub(crate) fn new() -> Result<Self> {
        let options = Opts::new(
            "carillon_trace_spans_total",
            "Spans by what became of them: exported, failed (the collector did not take them), or dropped (too many waited).",
        );
        let spans = IntCounterVec::new(options, &["outcome"])?;
        let of = |outcome: &str| spans.with_label_values(&[outcome]);
        Ok(Self { exported: of("exported"), failed: of("failed"), dropped: of("dropped"), spans })
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<()> {
        registry.register(Box::new(self.spans.clone()))
    }
}
