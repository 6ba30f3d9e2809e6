//! What operators see of messages.

use carillon_instruments::{Histogram, IntCounter, Registry, Result, SECONDS};

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
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            stored: registry
                .counter("carillon_chat_messages_total", "Chat messages stored and published.")?,
            repeated: registry.counter(
                "carillon_chat_messages_repeated_total",
                "Chat messages sent again that were stored already.",
            )?,
            seconds: registry.histogram(
                "carillon_chat_message_duration_seconds",
                "Time from a chat message's arrival until it was committed and published.",
                &SECONDS,
            )?,
        })
    }
}
