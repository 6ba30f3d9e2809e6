//! What operators see of notifications.

use carillon_instruments::{Histogram, IntCounter, IntCounterVec, Registry, Result, SECONDS};

/// Counters of what was sent. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// Notifications stored and published, by kind of recipient: one for each user, one for everyone.
    pub(crate) sent: IntCounterVec,
    /// Notifications that had been sent before.
    pub(crate) repeated: IntCounter,
    /// Organisation events published.
    pub(crate) events: IntCounter,
    /// From a request to send or publish until all of it was committed and published.
    pub(crate) seconds: Histogram,
    /// Notifications that their age has removed from inboxes.
    pub(crate) expired: IntCounter,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            sent: registry.counters(
                "carillon_notification_sent_total",
                "Notifications stored and published.",
                &["recipient"],
            )?,
            repeated: registry.counter(
                "carillon_notification_repeated_total",
                "Notifications asked for again, which had been sent before.",
            )?,
            events: registry.counter("carillon_org_events_total", "Organisation events published.")?,
            seconds: registry.histogram(
                "carillon_notification_publish_duration_seconds",
                "Time from a request to send until it was committed and published.",
                &SECONDS,
            )?,
            expired: registry.counter(
                "carillon_notification_expired_total",
                "Notifications that their age has removed from inboxes.",
            )?,
        })
    }
}
