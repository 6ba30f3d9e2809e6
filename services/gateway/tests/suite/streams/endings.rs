//! Streams that end: with the last word that a WebSocket's close frame would be.

use carillon_contract::messages::{Dismissal, Event};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
};

use super::room;
use crate::{
    bed::{token, until, with_gateway},
    client::within,
};

#[test]
fn a_stream_ends_with_its_token() {
    with_gateway(&[], async |bed| {
        let mut source = bed.event_source(&format!("room.general/?token={}", token("7", 2)), &[]).await;
        assert_eq!(source.json().await["type"], "greeting");
        assert_eq!(source.json().await["type"], "token_expiring");
        assert_eq!(source.closed().await, 4002);
    });
}

#[test]
fn a_stream_ends_with_its_users_place_there() {
    with_gateway(&[], async |bed| {
        let mut source = bed.event_source(&format!("room.general/?token={}", token("7", 60)), &[]).await;
        let mut other = bed.event_source("room.general/", &[]).await;
        let dismissal = Dismissal { user: "7".to_owned(), code: 4004, reason: "removed".to_owned() };
        bed.services.emit_event(&room(), Event { dismissal: Some(dismissal), ..Event::default() }).await;
        assert_eq!(source.closed().await, 4004);
        bed.services.emit(&room(), "{}").await;
        assert_eq!(other.json().await["type"], "greeting");
        assert_eq!(other.json().await["offset"], 2);
    });
}

#[test]
fn a_drain_says_when_to_come_back_and_ends_the_stream() {
    with_gateway(&[], async |bed| {
        let mut source = bed.event_source("room.general/", &[]).await;
        assert_eq!(source.json().await["type"], "greeting");
        bed.shell.shutdown.cancel();
        let retry = source.block().await.expect("a time").retry.expect("a time");
        let (_, reconnect) = source.message().await;
        assert_eq!((&reconnect["type"], reconnect["after_ms"].as_u64()), (&"reconnect".into(), Some(retry)));
        assert_eq!(source.closed().await, 1012);
        until("its owner is told", || bed.services.farewells().iter().any(|(_, returns)| *returns)).await;
    });
}

/// A client that doesn't read is closed above the queue's bound, and delays nobody.
#[test]
fn a_slow_client_is_let_go_and_comes_back_with_its_last_id() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let mut slow = within(socket.connect(bed.address)).await.expect("a connection");
        let request = format!("GET /api/events/room.general/ HTTP/1.1\r\nHost: {}\r\n\r\n", bed.address);
        within(slow.write_all(request.as_bytes())).await.expect("sent");
        let mut fast = bed.event_source("room.general/", &[]).await;
        assert_eq!(fast.json().await["type"], "greeting");
        until("both are there", || bed.metric("carillon_gateway_connections", "chat") == 2.0).await;
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(30_000));
        let mut head = 0;
        while bed.metric("carillon_gateway_slow_consumers_total", "close") == 0.0 {
            head = bed.services.emit(&room(), large.clone()).await.offset;
            assert_eq!(fast.ids(1).await, [format!("e0.{head}")]);
            assert!(head < 10_000, "it is never closed");
        }
        let mut received = Vec::new();
        within(slow.read_to_end(&mut received)).await.expect("an end");
        let text = String::from_utf8_lossy(&received);
        let ids: Vec<u64> =
            text.lines().filter_map(|line| line.strip_prefix("id: e0.")?.parse().ok()).collect();
        let last = *ids.last().expect("an id");
        assert_eq!(ids, (0..=last).collect::<Vec<_>>());
        assert!(last < head && text.contains("\"code\":1013"));
        let last_id = format!("e0.{last}");
        let mut back = bed.event_source("room.general/", &[("last-event-id", &last_id)]).await;
        assert_eq!(back.json().await["type"], "greeting");
        assert_eq!(back.json().await["missed"], head - last);
        let expected: Vec<String> = (last + 1..=head).map(|offset| format!("e0.{offset}")).collect();
        assert_eq!(back.ids(expected.len()).await, expected);
    });
}

#[test]
fn a_client_that_takes_nothing_is_let_go_in_time() {
    let patience = ["--heartbeat-seconds", "1", "--write-timeout-seconds", "1"];
    with_gateway(&[&patience[..], &["--queue-bytes", "67108864"]].concat(), async |bed| {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let mut stuck = within(socket.connect(bed.address)).await.expect("a connection");
        let request = format!("GET /api/events/room.general/ HTTP/1.1\r\nHost: {}\r\n\r\n", bed.address);
        within(stuck.write_all(request.as_bytes())).await.expect("sent");
        until("it is there", || bed.services.connections().len() == 1).await;
        // More than any kernel keeps for it.
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(200_000));
        for _ in 0..100 {
            bed.services.emit(&room(), large.clone()).await;
        }
        until("it is gone", || bed.metric("carillon_gateway_closes_total", "stuck") == 1.0).await;
    });
}
