//! What is counted about TLS.

use carillon_instruments::{Gauge, IntCounterVec, IntGauge, Registry, Result};

use super::handshake::Outcome;

/// The collectors of TLS: they are there without it, too.
pub(crate) struct Metrics {
    handshakes: IntCounterVec,
    /// Handshakes under way.
    pub(super) open: IntGauge,
    reloads: IntCounterVec,
    /// Until when the certificate in use is valid, in seconds since 1970; 0 without one.
    pub(super) expiry: Gauge,
    /// 1 while what is in the files can't be used.
    pub(super) rejected: IntGauge,
}

impl Metrics {
    /// Makes the collectors and registers them.
    ///
    /// # Errors
    /// A registry that has them already.
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        let metrics = Self {
            handshakes: registry.counters(
                "carillon_gateway_tls_handshakes_total",
                "TLS handshakes, by what became of them.",
                &["outcome"],
            )?,
            open: registry.gauge("carillon_gateway_tls_handshakes_open", "TLS handshakes under way.")?,
            reloads: registry.counters(
                "carillon_gateway_tls_reloads_total",
                "Changes of the files of the certificate, by whether what they hold could be used.",
                &["outcome"],
            )?,
            expiry: registry.level(
                "carillon_gateway_tls_certificate_expiry_timestamp_seconds",
                "When the certificate in use ends, in seconds since 1970; 0: the gateway speaks no TLS.",
            )?,
            rejected: registry.gauge(
                "carillon_gateway_tls_certificate_rejected",
                "Whether the files of the certificate hold what can't be used, so that the one before is (1 or 0).",
            )?,
        };
        Outcome::ALL.into_iter().for_each(|outcome| drop(metrics.of(outcome)));
        ["loaded", "rejected"].into_iter().for_each(|outcome| drop(metrics.reloads_by(outcome)));
        Ok(metrics)
    }

    /// A handshake is over.
    pub(super) fn shaken(&self, outcome: Outcome) {
        self.of(outcome).inc();
    }

    /// What the files hold now is used.
    pub(super) fn loaded(&self) {
        self.reloads_by("loaded").inc();
        self.rejected.set(0);
    }

    /// What the files hold now can't be used.
    pub(super) fn rejected(&self) {
        self.reloads_by("rejected").inc();
        self.rejected.set(1);
    }

    fn of(&self, outcome: Outcome) -> carillon_instruments::IntCounter {
        self.handshakes.with_label_values(&[outcome.as_str()])
    }

    fn reloads_by(&self, outcome: &str) -> carillon_instruments::IntCounter {
        self.reloads.with_label_values(&[outcome])
    }
}
