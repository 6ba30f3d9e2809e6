//! SIGINT and SIGTERM, which end a command that would go on.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals.
#[derive(Debug)]
pub(crate) struct Interruption {
    interrupt: Signal,
    terminate: Signal,
}

impl Interruption {
    /// Listens from now on.
    ///
    /// # Errors
    /// Signals that can't be listened to.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("listening to SIGINT")?,
            terminate: signal(SignalKind::terminate()).context("listening to SIGTERM")?,
        })
    }

    /// Waits for either.
    pub(crate) async fn come(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
