//! The durations that presence depends on.

use std::time::Duration;

use crate::{Clock, GRACE, LEASE};

/// Durations, the same on every replica, and a clock.
#[derive(Debug, Clone)]
pub struct PresenceOptions {
    /// For how long a gateway's connections count without its renewing.
    pub lease: Duration,
    /// For how long a client that may return counts after its connection has ended.
    pub grace: Duration,
    /// How often it is looked for what is due.
    pub sweep: Duration,
    /// For how long a connection that has left is remembered, longer than any message about it is on its way.
    pub memory: Duration,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for PresenceOptions {
    fn default() -> Self {
        Self {
            lease: LEASE,
            grace: GRACE,
            sweep: Duration::from_secs(1),
            memory: Duration::from_secs(600),
            clock: Clock::System,
        }
    }
}
