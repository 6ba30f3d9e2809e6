//! How the bus does.

use std::sync::atomic::Ordering;

use crate::signal::Signals;

/// The bus as one process sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusState {
    /// `nats` or `in-process`.
    pub kind: &'static str,
    /// Of the NATS server that it was last connected to.
    pub server_version: String,
    /// How often the connection was lost and is back.
    pub reconnections: u64,
    /// How often messages were dropped since a subscription's queue was full.
    pub dropped: u64,
}

impl BusState {
    pub(crate) fn new(kind: &'static str, server_version: String, signals: &Signals) -> Self {
        Self {
            kind,
            server_version,
            reconnections: signals.reconnections.load(Ordering::Relaxed),
            dropped: signals.dropped.get(),
        }
    }
}
