//! What operators see of presence.

use carillon_contract::ServiceName;
use carillon_instruments::{IntCounter, IntCounterVec, IntGauge, Opts, Registry, Result};

/// The figures of one service's presence, labelled with the service.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// Connections that are counted in, in the whole cluster.
    pub(crate) connections: IntGauge,
    /// Leases that lapsed with connections, found by this replica.
    pub(crate) lapsed: IntCounter,
    /// Members who came or left, by kind, announced by this replica.
    transitions: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new(service: ServiceName) -> Result<Self> {
        let options = |name: &str, help: &str| {
            Opts::new(format!("carillon_presence_{name}"), help).const_label("service", service.as_str())
        };
        let metrics = Self {
            connections: IntGauge::with_opts(options(
                "connections",
                "Connections that count as present, in the whole cluster.",
            ))?,
            lapsed: IntCounter::with_opts(options(
                "lapsed_leases_total",
                "Gateways' leases that lapsed with connections.",
            ))?,
            transitions: IntCounterVec::new(
                options("transitions_total", "Members who came to a topic or left it."),
                &["kind"],
            )?,
        };
        // Known from the start: what appears with its first has not grown by it.
        metrics.count(0, 0);
        Ok(metrics)
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<()> {
        registry.register(Box::new(self.connections.clone()))?;
        registry.register(Box::new(self.lapsed.clone()))?;
        registry.register(Box::new(self.transitions.clone()))
    }

    pub(crate) fn count(&self, joined: u64, left: u64) {
        self.transitions.with_label_values(&["joined"]).inc_by(joined);
        self.transitions.with_label_values(&["left"]).inc_by(left);
    }
}
