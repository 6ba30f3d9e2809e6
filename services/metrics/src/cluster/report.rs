//! What a gateway has told.

use std::collections::BTreeMap;

use carillon_contract::{
    GatewayId, InvalidGatewayId,
    messages::{Telemetry, Traffic},
};

use super::{Entrance, Pasts};

/// All that a gateway has counted since it started, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) gateway: GatewayId,
    /// 1, 2, 3, …
    pub(crate) number: u64,
    /// Name of the machine, or pod.
    pub(crate) host: String,
    /// Microseconds since 1970, by the gateway's clock, as is `at`.
    pub(crate) started_at: i64,
    pub(crate) at: i64,
    pub(crate) is_draining: bool,
    /// Nothing follows.
    pub(crate) is_last: bool,
    pub(crate) pasts: Pasts,
    /// Messages to and from clients in the last minute, where there were any.
    pub(crate) recent: BTreeMap<Entrance, u64>,
    /// Clients that did not keep up.
    pub(crate) slow_consumers: u64,
}

impl TryFrom<Telemetry> for Report {
    type Error = InvalidGatewayId;

    fn try_from(telemetry: Telemetry) -> Result<Self, InvalidGatewayId> {
        let entrance = |traffic: &Traffic| Entrance::new(&traffic.endpoint, &traffic.transport);
        let recently = |traffic: &Traffic| traffic.recently_received + traffic.recently_sent;
        let traffic = &telemetry.traffic;
        let recent = traffic.iter().filter(|traffic| recently(traffic) > 0);
        Ok(Self {
            gateway: telemetry.gateway.parse()?,
            number: telemetry.number,
            started_at: telemetry.started_at,
            at: telemetry.at,
            is_draining: telemetry.draining,
            is_last: telemetry.last,
            pasts: traffic.iter().map(|traffic| (entrance(traffic), traffic.into())).collect(),
            recent: recent.map(|traffic| (entrance(traffic), recently(traffic))).collect(),
            slow_consumers: telemetry.slow_consumers,
            host: telemetry.host,
        })
    }
}

impl Report {
    /// What it does, as operators are told.
    pub(crate) fn state(&self) -> &'static str {
        if self.is_draining { "draining" } else { "serving" }
    }
}
