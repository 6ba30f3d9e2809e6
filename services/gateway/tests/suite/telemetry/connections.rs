//! Which connections a gateway has, and ending one of them.

use carillon_bus::{RefusalKind, RequestError, Timing};
use carillon_contract::{
    CHANNELS, GatewayId, Method,
    messages::{ConnectionState, ConnectionsReply, ConnectionsRequest, DisconnectReply, DisconnectRequest},
};
use serde_json::json;

use super::{Reports, hear_out, traffic};
use crate::{
    bed::{Bed, token, with_gateway},
    client::PATIENCE,
};

/// Asks the gateway of a bed.
async fn ask<M: Method>(bed: &Bed, request: &M) -> Result<M::Reply, RequestError> {
    let report = Reports::of(bed).await.next().await;
    let gateway: GatewayId = report.gateway.parse().expect("an id");
    bed.services.bus.call_gateway(&gateway, request, Timing { attempt: PATIENCE }).await
}

/// Asks for a page of connections.
async fn list(bed: &Bed, request: ConnectionsRequest) -> ConnectionsReply {
    ask(bed, &request).await.expect("a reply")
}

fn page(limit: u32) -> ConnectionsRequest {
    ConnectionsRequest { limit, ..ConnectionsRequest::default() }
}

fn ids(reply: &ConnectionsReply) -> Vec<&str> {
    reply.connections.iter().map(|connection| connection.id.as_str()).collect()
}

#[test]
fn connections_are_listed_as_they_are_wanted_a_page_at_a_time() {
    with_gateway(&["--workers", "2"], async |bed| {
        let token = token("7", 3_600);
        let _guest = bed.listener().await;
        let mut user = bed.greeted(&format!("/ws/notifications/?token={token}")).await;
        let mut stream = bed.event_source(&format!("room.lobby/?token={token}"), &[]).await;
        stream.json().await;
        let mut many = bed.connect(&format!("/ws/v1/?token={token}")).await;
        many.json().await;
        many.send(&json!({"id": 1, "type": "subscribe", "channel": "room.a"}).to_string()).await;
        hear_out(&mut many, 2).await;
        user.send(r#"{"type":"ping"}"#).await;
        user.json().await;

        let all = list(bed, page(10)).await;
        assert_eq!((all.count, all.connections.len()), (4, 4));
        let [guest, socket, stream, many] = &all.connections[..] else { panic!("{all:?}") };
        assert_eq!((guest.user.as_str(), guest.endpoint.as_str()), ("", "notifications"));
        assert_eq!((guest.messages_received, guest.messages_sent), (0, 1));
        let ConnectionState { user, address, channels, dialect, .. } = socket;
        assert_eq!((user.as_str(), address.as_str(), dialect.as_str()), ("7", "127.0.0.1", "events"));
        assert_eq!(*channels, ["everyone", "user.7"]);
        assert_eq!((socket.messages_received, socket.messages_sent), (1, 2));
        assert!(socket.since > 1_700_000_000_000_000);
        assert_eq!((stream.endpoint.as_str(), stream.transport.as_str()), ("chat", "events"));
        assert_eq!(stream.parameters["room_name"], "lobby");
        assert_eq!((many.endpoint.as_str(), &many.channels[..]), (CHANNELS, &["room.a".to_owned()][..]));

        let (first, after) =
            (list(bed, page(3)).await, GatewayId::of_connection(&stream.id).expect("an id").1);
        assert_eq!((first.count, ids(&first)), (4, ids(&all)[..3].to_vec()));
        let rest = list(bed, ConnectionsRequest { after: Some(after), ..page(3) }).await;
        assert_eq!((rest.count, ids(&rest)), (4, ids(&all)[3..].to_vec()));
        assert_eq!(list(bed, page(0)).await, ConnectionsReply { count: 4, connections: Vec::new() });

        let users = list(bed, ConnectionsRequest { user: "7".to_owned(), ..page(10) }).await;
        assert_eq!((users.count, ids(&users)), (3, ids(&all)[1..].to_vec()));
        let at = |address: &str| ConnectionsRequest { address: address.to_owned(), ..page(10) };
        assert_eq!(list(bed, at("127.0.0.0/8")).await.count, 4);
        assert_eq!(list(bed, at("127.0.0.2")).await.count, 0);
        let chat = list(bed, ConnectionsRequest { endpoint: "chat".to_owned(), ..page(10) }).await;
        assert_eq!(ids(&chat), [stream.id.as_str()]);
        let refused = ask(bed, &at("nowhere")).await.expect_err("refused");
        assert!(matches!(refused, RequestError::Refused(refusal) if refusal.kind == RefusalKind::Malformed));
    });
}

#[test]
fn one_connection_is_ended_over_whichever_transport() {
    with_gateway(&[], async |bed| {
        let mut socket = bed.listener().await;
        let mut other = bed.listener().await;
        let mut stream = bed.event_source("everyone/", &[]).await;
        stream.json().await;
        let mut reports = Reports::of(bed).await;
        let all = list(bed, page(10)).await;
        let [first, second, third] = ids(&all)[..] else { panic!("{all:?}") };
        let end = async |connection: &str| {
            ask(bed, &DisconnectRequest { connection: connection.to_owned() }).await.expect("a reply")
        };
        let reason = "disconnected by an administrator".to_owned();
        let ended = DisconnectReply { found: true, code: 4102, reason: reason.clone() };
        assert_eq!(end(first).await, ended);
        assert_eq!(socket.closed_at_once().await, (4102, reason.clone()));
        assert_eq!(end(third).await, ended);
        assert_eq!(stream.json().await, json!({"type": "closed", "code": 4102, "reason": reason}));
        assert!(stream.block().await.is_none());
        let is_closed = |transport| {
            move |traffic: &super::Telemetry| super::traffic(traffic, "notifications", transport).closed == 1
        };
        reports.until(is_closed("websocket")).await;
        reports.until(is_closed("events")).await;
        assert!(!end(first).await.found && !end("nonsense").await.found);
        assert_eq!(ids(&list(bed, page(10)).await), [second]);
        other.send(r#"{"type":"ping"}"#).await;
        other.json().await;
        let report = reports.next().await;
        assert_eq!(traffic(&report, "notifications", "websocket").closed, 1);
        assert_eq!(bed.metric("carillon_gateway_closes_total", "admin"), 2.0);
    });
}
