//! `GET /api/monitoring/websocket/active-connections/?user=&address=&endpoint=&gateway=&after=&limit=`

use std::{net::IpAddr, sync::Arc, time::Duration};

use carillon_bus::{Bus, Timing};
use carillon_contract::{
    GatewayId, Id, endpoint,
    messages::{ConnectionState, ConnectionsReply, ConnectionsRequest, HttpReply, HttpRequest},
};
use carillon_service::{
    http::{self, Problem},
    time::timestamp,
};
use futures_util::future::join_all;
use ipnet::IpNet;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{cluster::Report, service::Monitoring};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

/// How long gateways may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long one attempt at one may.
const ATTEMPT: Timing = Timing { attempt: Duration::from_millis(950) };

/// What is asked for.
struct Question {
    /// For each gateway, but for the place from which on.
    request: ConnectionsRequest,
    gateway: Option<GatewayId>,
    /// The connection after which to go on.
    after: Option<(GatewayId, u64)>,
    limit: u32,
}

/// Asks every gateway that is there, and puts together what they answer.
pub(crate) async fn connections(service: &Monitoring, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let question = Question::read(request)?;
    let mut gateways = service.cluster.gateways();
    gateways.retain(|report| question.gateway.as_ref().is_none_or(|wanted| *wanted == report.gateway));
    let asked = gateways.iter().map(|report| ask(&service.bus, &question, report));
    let answers: Vec<_> = join_all(asked).await;
    let (mut count, mut items, mut unanswered) = (0, Vec::new(), Vec::new());
    for (report, answer) in gateways.iter().zip(answers) {
        match answer {
            Some(reply) => {
                count += reply.count;
                items.extend(reply.connections.into_iter().map(|connection| (report, connection)));
            }
            None => unanswered.push(report.gateway.as_str()),
        }
    }
    // They are in the order of their gateways, and there in the order in which they came.
    let limit = question.limit as usize;
    let next = (items.len() > limit).then(|| items[limit - 1].1.id.clone());
    items.truncate(limit);
    let items: Vec<Value> = items.into_iter().map(|(report, connection)| shown(report, connection)).collect();
    Ok(http::json(200, &json!({"count": count, "items": items, "next": next, "unanswered": unanswered})))
}

impl Question {
    fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let text = |name| http::query::<String>(request, name).map(Option::unwrap_or_default);
        let limit = http::limit(request, DEFAULT_LIMIT, MAX_LIMIT)?;
        let address = text("address")?;
        if !address.is_empty() && address.parse::<IpAddr>().is_err() && address.parse::<IpNet>().is_err() {
            let detail =
                "an address as 192.0.2.7 or 2001:db8::7, or a network as 10.0.0.0/8 or 2001:db8::/32";
            return Err(Problem::unprocessable("address", detail));
        }
        let place = text("endpoint")?;
        if !place.is_empty() && endpoint(&place).is_none() {
            return Err(Problem::unprocessable("endpoint", "there is no such endpoint"));
        }
        let after = text("after")?;
        let place_after = GatewayId::of_connection(&after);
        if !after.is_empty() && place_after.is_none() {
            return Err(Problem::unprocessable("after", "the last page's `next`"));
        }
        let gateway = http::query::<GatewayId>(request, "gateway")?;
        // One more than wanted: whether it is there tells whether there is another page.
        let (user, after, limit_each) = (text("user")?, None, limit + 1);
        let request = ConnectionsRequest { user, address, endpoint: place, after, limit: limit_each };
        Ok(Self { request, gateway, after: place_after, limit })
    }

    /// What a gateway is asked. The connections of one that the last page has passed are only counted.
    fn for_gateway(&self, gateway: &GatewayId) -> ConnectionsRequest {
        let request = self.request.clone();
        match &self.after {
            Some((passed, _)) if gateway < passed => ConnectionsRequest { limit: 0, ..request },
            Some((reached, number)) if gateway == reached => {
                ConnectionsRequest { after: Some(*number), ..request }
            }
            _ => request,
        }
    }
}

async fn ask(bus: &Bus, question: &Question, report: &Report) -> Option<ConnectionsReply> {
    let request = question.for_gateway(&report.gateway);
    let answer = timeout(PATIENCE, bus.call_gateway(&report.gateway, &request, ATTEMPT)).await;
    match answer {
        Ok(Ok(reply)) => Some(reply),
        Ok(Err(error)) => {
            tracing::warn!(gateway = %report.gateway, %error, "a gateway did not tell its connections");
            None
        }
        Err(_) => {
            tracing::warn!(gateway = %report.gateway, "a gateway did not tell its connections in time");
            None
        }
    }
}

fn shown(report: &Arc<Report>, connection: ConnectionState) -> Value {
    let text = |text: String| (!text.is_empty()).then_some(text);
    json!({
        "id": connection.id,
        "gateway": report.gateway.as_str(),
        "host": report.host,
        "endpoint": connection.endpoint,
        "transport": connection.transport,
        "user_id": Id::new(connection.user).ok(),
        "username": text(connection.username),
        "address": connection.address,
        "parameters": connection.parameters,
        "channels": connection.channels,
        "dialect": text(connection.dialect),
        "connected_at": timestamp(connection.since),
        "messages_sent": connection.messages_sent,
        "messages_received": connection.messages_received,
    })
}
