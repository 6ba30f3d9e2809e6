//! What auth counts.

use carillon_instruments::{IntCounterVec, Registry, Result};

/// Counters of auth.
pub(crate) struct Metrics {
    logins: IntCounterVec,
    tokens: IntCounterVec,
    revocations: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self> {
        let revoked =
            "Users and tokens revoked, memberships ended, and users and addresses blocked, by kind.";
        Ok(Self {
            logins: registry.counters("carillon_auth_logins_total", "Logins by outcome.", &["outcome"])?,
            tokens: registry.counters(
                "carillon_auth_tokens_issued_total",
                "Tokens issued by kind.",
                &["kind"],
            )?,
            revocations: registry.counters("carillon_auth_revocations_total", revoked, &["kind"])?,
        })
    }

    /// A login: `ok`, `wrong`, `limited` or `unavailable`.
    pub(crate) fn login(&self, outcome: &'static str) {
        self.logins.with_label_values(&[outcome]).inc();
    }

    /// A token: `access`, `refresh` or `service`.
    pub(crate) fn issued(&self, kind: &'static str) {
        self.tokens.with_label_values(&[kind]).inc();
    }

    /// So many revocations: `user`, `token`, `login`, `membership` or `block`.
    pub(crate) fn revoked(&self, kind: &'static str, count: usize) {
        self.revocations.with_label_values(&[kind]).inc_by(count as u64);
    }
}
