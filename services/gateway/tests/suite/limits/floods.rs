//! Handshakes within a second, and connections of a gateway: refused in plain HTTP, before anything is done for them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::limited;
use crate::{
    bed::{Bed, until, with_gateway},
    client::within,
};

/// The head of the answer to a handshake.
async fn answer(bed: &Bed) -> (TcpStream, String) {
    let mut socket = TcpStream::connect(bed.address).await.expect("a connection");
    let request = "GET /ws/notifications/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    within(async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("an answer"));
        }
    })
    .await;
    (socket, String::from_utf8(head).expect("text").to_ascii_lowercase())
}

#[test]
fn a_gateway_has_so_many_connections_and_the_next_gets_503() {
    with_gateway(&["--max-connections", "2"], async |bed| {
        let one = bed.listener().await;
        let _two = bed.listener().await;
        let (_, head) = answer(bed).await;
        assert!(head.starts_with("http/1.1 503 ") && head.contains("\r\nretry-after: "), "{head}");
        assert_eq!(limited(bed, "max_connections"), 1.0);
        assert_eq!(bed.services.connections().len(), 2, "nobody was asked about it");
        drop(one);
        until("there is room", || bed.metric("carillon_gateway_connections", "") < 2.0).await;
        within(async { while !answer(bed).await.1.starts_with("http/1.1 101 ") {} }).await;
    });
}

#[test]
fn so_many_handshakes_within_a_second_and_the_next_get_429() {
    with_gateway(&["--handshakes-per-second", "20"], async |bed| {
        let since = std::time::Instant::now();
        let (mut accepted, mut refused) = (Vec::new(), 0);
        while refused == 0 {
            let (socket, head) = answer(bed).await;
            if head.starts_with("http/1.1 101 ") {
                accepted.push(socket);
            } else {
                assert!(
                    head.starts_with("http/1.1 429 ") && head.contains("\r\nretry-after: 1\r\n"),
                    "{head}"
                );
                refused += 1;
            }
        }
        let seconds = since.elapsed().as_secs_f64();
        assert!(accepted.len() >= 20 && accepted.len() as f64 <= 20.0 * seconds.ceil() + 20.0);
        assert!(limited(bed, "handshakes") >= 1.0);
        // Whoever waits for a moment gets in; those that were in stay so.
        within(async { while !answer(bed).await.1.starts_with("http/1.1 101 ") {} }).await;
        for mut socket in accepted {
            assert!(within(socket.read_u8()).await.is_ok(), "it is greeted");
        }
    });
}

#[test]
fn s0_12_zero_is_no_limit() {
    let limits = ["connections-per-address", "connections-per-user", "reconnections-per-hour"];
    let limits =
        limits.into_iter().chain(["messages-per-minute", "handshakes-per-second", "max-connections"]);
    let options: Vec<String> = limits.flat_map(|limit| [format!("--{limit}"), "0".to_owned()]).collect();
    let options: Vec<&str> =
        ["--mode", "production"].into_iter().chain(options.iter().map(String::as_str)).collect();
    with_gateway(&options, async |bed| {
        let mut clients = Vec::new();
        for _ in 0..60 {
            clients.push(bed.greeted("/ws/chat/general/").await);
        }
        for _ in 0..100 {
            clients[0].send("{\"type\":\"ping\"}").await;
            assert_eq!(clients[0].json().await["type"], "pong");
        }
        assert_eq!(limited(bed, ""), 0.0);
    });
}
