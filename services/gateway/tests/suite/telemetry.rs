//! What a gateway tells of itself (S0-10, S4-11), and what it answers about its connections (S0-06, S1-13).

mod connections;

use carillon_bus::Subscription;
use carillon_contract::{
    CHANNELS, Channel, Pattern,
    messages::{Telemetry, Traffic},
};
use futures_util::{SinkExt, StreamExt};
use prost::Message as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::{
    bed::{Bed, token, with_gateway},
    client::{Client, within},
    event_source::Block,
};

/// What is heard of gateways.
struct Reports(Subscription);

impl Reports {
    async fn of(bed: &Bed) -> Self {
        Self(bed.services.bus.subscribe(Pattern::telemetry()).await.expect("a subscription"))
    }

    async fn next(&mut self) -> Telemetry {
        let message = within(self.0.next()).await.expect("a report");
        let report = Telemetry::decode(message.payload).expect("a report");
        assert_eq!(*message.subject, *format!("telemetry.{}", report.gateway));
        report
    }

    /// The first report of which this holds.
    async fn until(&mut self, holds: impl Fn(&Telemetry) -> bool) -> Telemetry {
        let mut latest = None;
        let found = tokio::time::timeout(crate::client::PATIENCE, async {
            loop {
                let report = self.next().await;
                if holds(&report) {
                    return report;
                }
                latest = Some(report);
            }
        });
        found.await.unwrap_or_else(|_| panic!("not in time; the latest: {latest:?}"))
    }
}

/// What was counted at an endpoint over a transport.
fn traffic(report: &Telemetry, endpoint: &str, transport: &str) -> Traffic {
    let wanted = |traffic: &&Traffic| traffic.endpoint == endpoint && traffic.transport == transport;
    report.traffic.iter().find(wanted).cloned().unwrap_or_default()
}

/// Opened, closed, received and sent.
fn figures(traffic: &Traffic) -> (u64, u64, u64, u64) {
    (traffic.opened, traffic.closed, traffic.messages_received, traffic.messages_sent)
}

async fn hear_out(client: &mut Client, messages: usize) {
    for _ in 0..messages {
        client.json().await;
    }
}

#[test]
fn everything_that_passed_is_counted_and_pings_are_not() {
    with_gateway(&[], async |bed| {
        let mut reports = Reports::of(bed).await;
        let (mut one, mut other) = (bed.listener().await, bed.listener().await);
        let mut stream = bed.event_source("everyone/", &[]).await;
        stream.json().await;
        bed.services.emit(&Channel::everyone(), "{}").await;
        one.json().await;
        other.json().await;
        stream.json().await;
        one.send(r#"{"type":"ping"}"#).await;
        one.json().await;
        within(one.0.send(Message::Ping(Bytes::from_static(b"!")))).await.expect("sent");
        assert!(matches!(one.next().await, Message::Pong(_)));
        within(other.0.close(None)).await.expect("closed");
        let report = reports.until(|report| traffic(report, "notifications", "websocket").closed == 1).await;
        // Of each a greeting and an event, and a word that answers a word.
        let sockets = traffic(&report, "notifications", "websocket");
        assert_eq!(figures(&sockets), (2, 1, 1, 5));
        assert_eq!((sockets.recently_received, sockets.recently_sent), (1, 5));
        let lasted = sockets.closed_milliseconds;
        assert!((1..60_000).contains(&lasted), "{lasted}");
        assert!(sockets.bytes_received > 15 && sockets.bytes_sent > 5 * 20, "{sockets:?}");
        assert_eq!(sockets.days.iter().map(|day| day.opened).sum::<u64>(), 2);
        let streams = traffic(&report, "notifications", "events");
        assert_eq!(figures(&streams), (1, 0, 0, 2));
        assert!(!report.draining && !report.last && report.number > 0 && !report.host.is_empty());
        // What nobody causes, nobody counts.
        let later = reports.next().await;
        assert_eq!(later.traffic, report.traffic);
        assert!(later.number > report.number && later.started_at == report.started_at);
    });
}

#[test]
fn whether_a_client_is_there_is_no_message() {
    with_gateway(&["--heartbeat-seconds", "1"], async |bed| {
        let mut reports = Reports::of(bed).await;
        let mut client = bed.listener().await;
        let mut stream = bed.event_source("everyone/", &[]).await;
        stream.json().await;
        // Who doesn't read answers no ping.
        let reading = async {
            for _ in 0..3 {
                assert!(matches!(client.next().await, Message::Ping(_)));
                assert_eq!(stream.block().await, Some(Block::default()));
            }
            Reports::of(bed).await.next().await
        };
        let (report, _) = tokio::join!(reading, reports.until(|report| report.number > 3));
        assert_eq!(figures(&traffic(&report, "notifications", "websocket")), (1, 0, 0, 1));
        assert_eq!(figures(&traffic(&report, "notifications", "events")), (1, 0, 0, 1));
    });
}

#[test]
fn a_connection_of_many_channels_is_one_and_what_it_gets_is_counted_once() {
    with_gateway(&[], async |bed| {
        let mut reports = Reports::of(bed).await;
        let mut client = bed.connect("/ws/v1/").await;
        client.json().await;
        for room in ["room.a", "room.b"] {
            client.send(&json!({"id": room, "type": "subscribe", "channel": room}).to_string()).await;
            hear_out(&mut client, 2).await;
            bed.services.emit(&room.parse().expect("a channel"), "{}").await;
            client.json().await;
        }
        drop(client);
        let report = reports.until(|report| traffic(report, CHANNELS, "websocket").closed == 1).await;
        assert_eq!(figures(&traffic(&report, CHANNELS, "websocket")), (1, 1, 2, 7));
        assert_eq!(traffic(&report, "chat", "websocket"), Traffic::default());
    });
}

#[test]
fn who_is_refused_was_never_connected() {
    with_gateway(&[], async |bed| {
        let mut reports = Reports::of(bed).await;
        let mut refused = bed.connect("/ws/notifications/?token=nonsense").await;
        refused.closed().await;
        bed.services.refuse("open", 2);
        let mut unavailable = bed.connect(&format!("/ws/notifications/?token={}", token("7", 60))).await;
        unavailable.closed().await;
        assert_eq!(bed.events("everyone/?token=nonsense", &[]).await.status().as_u16(), 401);
        let report = reports.until(|report| traffic(report, "notifications", "events").refused == 1).await;
        let sockets = traffic(&report, "notifications", "websocket");
        assert_eq!((sockets.refused, figures(&sockets)), (2, (0, 0, 0, 0)));
    });
}

#[test]
fn the_last_word_comes_after_the_last_connection() {
    with_gateway(&["--workers", "2"], async |bed| {
        let mut reports = Reports::of(bed).await;
        let mut clients = [bed.listener().await, bed.listener().await, bed.listener().await];
        reports.until(|report| traffic(report, "notifications", "websocket").opened == 3).await;
        bed.shell.shutdown.cancel();
        for client in &mut clients {
            assert_eq!(client.closed().await.0, 1012);
        }
        let last = reports.until(|report| report.last).await;
        // A greeting, and when to come back.
        assert_eq!(figures(&traffic(&last, "notifications", "websocket")), (3, 3, 0, 6));
        assert!(last.draining);
    });
}
