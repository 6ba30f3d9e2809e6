//! What `/metrics` says of other gateways, counted when it is asked.

use std::sync::Arc;

use carillon_instruments::{Collector, Desc, IntGaugeVec, MetricFamily, Opts};

use super::Limits;

/// Connections of which other gateways have told: with those of this one, what limits are held against.
pub(crate) struct Elsewhere {
    limits: Arc<Limits>,
    connections: IntGaugeVec,
}

impl Elsewhere {
    /// # Errors
    /// None that can happen: the name is a constant.
    pub(crate) fn new(limits: Arc<Limits>) -> carillon_instruments::Result<Self> {
        let connections = IntGaugeVec::new(
            Opts::new(
                "carillon_gateway_connections_elsewhere",
                "Open connections of other gateways, as far as they have told this one; by whose they are.",
            ),
            &["by"],
        )?;
        Ok(Self { limits, connections })
    }
}

impl Collector for Elsewhere {
    fn desc(&self) -> Vec<&Desc> {
        self.connections.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let (by_address, by_user) = self.limits.elsewhere();
        for (by, connections) in [("address", by_address), ("user", by_user)] {
            let gauge = self.connections.with_label_values(&[by]);
            gauge.set(i64::try_from(connections).unwrap_or(i64::MAX));
        }
        self.connections.collect()
    }
}
