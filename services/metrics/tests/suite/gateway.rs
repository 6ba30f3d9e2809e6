//! Stands in for a gateway: tells what it has counted, and answers about its connections.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Refusal, Server};
use carillon_contract::{
    GatewayId, Method, Subject,
    messages::{
        ConnectionState, ConnectionsReply, ConnectionsRequest, DayTraffic, DisconnectReply,
        DisconnectRequest, Telemetry, Traffic,
    },
};
use prost::Message;

/// A gateway that has told something.
pub(crate) struct Gateway {
    pub(crate) id: GatewayId,
    bus: Bus,
    telemetry: Telemetry,
}

impl Gateway {
    pub(crate) fn new(bus: &Bus, number: u64) -> Self {
        let id = GatewayId::from(number);
        let now = carillon_store::now();
        let telemetry = Telemetry {
            gateway: id.to_string(),
            host: "host".to_owned(),
            slow_consumers: 3,
            started_at: now,
            ..Telemetry::default()
        };
        Self { id, bus: bus.clone(), telemetry }
    }

    /// Counts more connections and messages at an endpoint.
    pub(crate) fn count(&mut self, endpoint: &str, opened: u64, closed: u64, messages: u64) {
        let traffic = &mut self.telemetry.traffic;
        let known = traffic.iter().position(|traffic| traffic.endpoint == endpoint);
        let index = known.unwrap_or_else(|| {
            let (endpoint, transport) = (endpoint.to_owned(), "websocket".to_owned());
            traffic.push(Traffic { endpoint, transport, ..Traffic::default() });
            traffic.len() - 1
        });
        let today = u32::try_from(carillon_store::now() / 86_400_000_000).expect("a day");
        let counted = &mut traffic[index];
        counted.opened += opened;
        counted.closed += closed;
        counted.closed_milliseconds += 2_500 * closed;
        counted.messages_sent += messages;
        counted.messages_received += 2 * messages;
        counted.recently_sent = counted.messages_sent;
        counted.days = vec![DayTraffic { day: today, opened: counted.opened }];
    }

    /// Tells all that it has counted so far.
    pub(crate) async fn tell(&mut self) -> Telemetry {
        self.telemetry.number += 1;
        self.telemetry.at = carillon_store::now();
        self.say(&self.telemetry.clone()).await;
        self.telemetry.clone()
    }

    /// The same for the last time.
    pub(crate) async fn go(&mut self) {
        self.telemetry.last = true;
        self.tell().await;
    }

    pub(crate) async fn say(&self, telemetry: &Telemetry) {
        let subject = Subject::telemetry(&self.id);
        self.bus.publish(&subject, telemetry.encode_to_vec().into()).await.expect("published");
    }

    /// Answers as if it had so many connections.
    pub(crate) async fn answer(&self, connections: u64) -> (Server, Asked) {
        let asked = Asked::default();
        let desk = Arc::new(Desk { id: self.id.clone(), connections, asked: asked.clone() });
        (self.bus.serve_gateway(&self.id, 4, desk).await.expect("a server"), asked)
    }
}

/// What it was asked for.
pub(crate) type Asked = Arc<Mutex<Vec<ConnectionsRequest>>>;

struct Desk {
    id: GatewayId,
    connections: u64,
    asked: Asked,
}

impl Handler for Desk {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        let reply = match method {
            ConnectionsRequest::NAME => {
                let request = ConnectionsRequest::decode(payload).expect("a request");
                self.asked.lock().expect("no panic").push(request.clone());
                self.list(&request).encode_to_vec()
            }
            DisconnectRequest::NAME => {
                let request = DisconnectRequest::decode(payload).expect("a request");
                let (_, number) = GatewayId::of_connection(&request.connection).expect("a connection");
                let (found, reason) = (number < self.connections, "gone".to_owned());
                DisconnectReply { found, code: 4102, reason }.encode_to_vec()
            }
            other => panic!("{other}"),
        };
        Ok(reply.into())
    }
}

impl Desk {
    fn list(&self, request: &ConnectionsRequest) -> ConnectionsReply {
        let numbers =
            (0..self.connections).filter(|number| request.after.is_none_or(|after| *number > after));
        let state = |number| ConnectionState {
            id: format!("{}-{number}", self.id),
            endpoint: "chat".to_owned(),
            transport: "websocket".to_owned(),
            user: "42".to_owned(),
            address: "192.0.2.7".to_owned(),
            since: 1_737_981_045_123_456,
            ..ConnectionState::default()
        };
        let connections = numbers.take(request.limit as usize).map(state).collect();
        ConnectionsReply { count: self.connections, connections }
    }
}
