//! What auth counts.

use prometheus::{IntCounterVec, Opts, Registry};

/// Counters of auth.
pub(crate) struct Metrics {
    logins: IntCounterVec,
    tokens: IntCounterVec,
    revocations: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            logins: counter(registry, "carillon_auth_logins_total", "Logins by outcome.", "outcome")?,
            tokens: counter(registry, "carillon_auth_tokens_issued_total", "Tokens issued by kind.", "kind")?,
            revocations: counter(
                registry,
                "carillon_auth_revocations_total",
                "Users and tokens revoked, memberships ended, and users and addresses blocked, by kind.",
                "kind",
            )?,
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

fn counter(
    registry: &Registry,
    name: &'static str,
    what: &'static str,
    label: &'static str,
) -> prometheus::Result<IntCounterVec> {
    let counter = IntCounterVec::new(Opts::new(name, what), &[label])?;
    registry.register(Box::new(counter.clone()))?;
    Ok(counter)
}
