//! What operators see of documents.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

/// Counters of updates. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// Updates stored and published.
    pub(crate) updates: IntCounter,
    /// Their bytes.
    pub(crate) bytes: IntCounter,
    /// Connections closed for what they sent, by close code.
    pub(crate) refused: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            updates: IntCounter::new(
                "carillon_chat_document_updates_total",
                "Updates of documents stored and published.",
            )?,
            bytes: IntCounter::new(
                "carillon_chat_document_bytes_total",
                "Bytes of the updates of documents stored and published.",
            )?,
            refused: IntCounterVec::new(
                Opts::new(
                    "carillon_chat_document_refusals_total",
                    "Connections to documents closed for what they sent, by close code.",
                ),
                &["code"],
            )?,
        };
        registry.register(Box::new(metrics.updates.clone()))?;
        registry.register(Box::new(metrics.bytes.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        Ok(metrics)
    }
}
