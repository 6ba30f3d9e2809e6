//! `GET /api/monitoring/websocket/metrics/`

use carillon_contract::messages::HttpReply;
use carillon_service::{http, time::timestamp};
use carillon_store::now;
use serde::Serialize;

use crate::cluster::{Breakdown, Cluster, Entrance, Figures, Report};

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    all: Figures,
    /// The day (UTC) of `connections_today`.
    day: &'a str,
    timestamp: &'a str,
    gateways: Vec<OfGateway<'a>>,
    gone: Figures,
    endpoints: Vec<AtEndpoint<'a>>,
}

#[derive(Serialize)]
struct OfGateway<'a> {
    gateway: &'a str,
    host: &'a str,
    state: &'static str,
    started_at: String,
    reported_at: String,
    /// Clients that did not keep up, since it started.
    slow_consumers: u64,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
struct AtEndpoint<'a> {
    endpoint: &'a str,
    transport: &'a str,
    #[serde(flatten)]
    figures: Figures,
}

/// All figures, and their parts.
pub(crate) fn figures(cluster: &Cluster) -> HttpReply {
    let Breakdown { all, gateways, gone, entrances } = cluster.figures();
    let timestamp = timestamp(now());
    let shown = Shown {
        all,
        day: &timestamp[..10],
        timestamp: &timestamp,
        gateways: gateways.iter().map(|(report, figures)| of_gateway(report, *figures)).collect(),
        gone,
        endpoints: entrances.iter().map(|(entrance, figures)| at_endpoint(entrance, *figures)).collect(),
    };
    http::json(200, &shown)
}

fn of_gateway(report: &Report, figures: Figures) -> OfGateway<'_> {
    OfGateway {
        gateway: report.gateway.as_str(),
        host: &report.host,
        state: report.state(),
        started_at: timestamp(report.started_at),
        reported_at: timestamp(report.at),
        slow_consumers: report.slow_consumers,
        figures,
    }
}

fn at_endpoint(entrance: &Entrance, figures: Figures) -> AtEndpoint<'_> {
    AtEndpoint { endpoint: &entrance.endpoint, transport: &entrance.transport, figures }
}
