//! What operators see of documents.

use carillon_instruments::{IntCounter, IntCounterVec, Registry, Result};

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
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            updates: registry.counter(
                "carillon_chat_document_updates_total",
                "Updates of documents stored and published.",
            )?,
            bytes: registry.counter(
                "carillon_chat_document_bytes_total",
                "Bytes of the updates of documents stored and published.",
            )?,
            refused: registry.counters(
                "carillon_chat_document_refusals_total",
                "Connections to documents closed for what they sent, by close code.",
                &["code"],
            )?,
        })
    }
}
