//! What operators see of files.

use std::cell::Cell;

use carillon_blob::Operation;
use carillon_instruments::{IntCounter, IntCounterVec, Registry, Result};

/// The door's collectors.
pub(super) struct Metrics {
    /// Transfers, by operation and outcome.
    transfers: IntCounterVec,
    /// Bytes moved, by operation.
    bytes: IntCounterVec,
}

/// One transfer. If nobody says how it ended, the client went away.
pub(super) struct Transfer {
    operation: Operation,
    transfers: IntCounterVec,
    bytes: IntCounter,
    outcome: Cell<Option<&'static str>>,
}

impl Metrics {
    /// Makes the collectors and registers them.
    ///
    /// # Errors
    /// A registry that has them already.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            transfers: registry.counters(
                "carillon_gateway_blob_transfers_total",
                "Uploads and downloads, by outcome.",
                &["operation", "outcome"],
            )?,
            bytes: registry.counters(
                "carillon_gateway_blob_bytes_total",
                "Bytes of files that passed, by operation.",
                &["operation"],
            )?,
        })
    }

    pub(super) fn transfer(&self, operation: Operation) -> Transfer {
        let bytes = self.bytes.with_label_values(&[operation.as_str()]);
        Transfer { operation, transfers: self.transfers.clone(), bytes, outcome: Cell::new(None) }
    }
}

impl Transfer {
    /// So many more bytes have passed.
    pub(super) fn moved(&self, bytes: usize) {
        self.bytes.inc_by(bytes as u64);
    }

    /// It ended with this HTTP status.
    pub(super) fn ended(&self, status: u16) {
        self.outcome.set(Some(match status {
            0..400 => "completed",
            400..500 => "refused",
            _ => "failed",
        }));
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        let outcome = self.outcome.get().unwrap_or("aborted");
        self.transfers.with_label_values(&[self.operation.as_str(), outcome]).inc();
    }
}
