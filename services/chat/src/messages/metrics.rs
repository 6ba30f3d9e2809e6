//! What operators see of messages.

use prometheus::{Histogram, HistogramOpts, IntCounter, Registry};

/// Counters of what was sent. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// Messages stored and published.
    pub(crate) stored: IntCounter,
    /// Messages sent again that were there already.
    pub(crate) repeated: IntCounter,
    /// From a message's arrival until it was committed and published.
    pub(crate) seconds: Histogram,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            stored: IntCounter::new("carillon_chat_messages_total", "Chat messages stored and published.")?,
            repeated: IntCounter::new(
                "carillon_chat_messages_repeated_total",
                "Chat messages sent again that were stored already.",
            )?,
            seconds: Histogram::with_opts(HistogramOpts::new(
                "carillon_chat_message_duration_seconds",
                "Time from a chat message's arrival until it was committed and published.",
            ))?,
        };
        registry.register(Box::new(metrics.stored.clone()))?;
        registry.register(Box::new(metrics.repeated.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        Ok(metrics)
    }
}
