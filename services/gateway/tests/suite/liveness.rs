//! Dead peers, and a gateway that goes.

use carillon_contract::Channel;
use futures_util::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    bed::{until, with_gateway},
    client::within,
};

pub(crate) const HANDSHAKE: &str = "GET /ws/notifications/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[test]
fn a_dead_peer_is_closed_after_a_ping_and_one_that_answers_stays() {
    with_gateway(&["--heartbeat-seconds", "1"], async |bed| {
        let mut idle = bed.listener().await;
        let mut dead = TcpStream::connect(bed.address).await.expect("a connection");
        dead.write_all(HANDSHAKE.as_bytes()).await.expect("sent");
        let mut heard = Vec::new();
        let read = async {
            let closed = dead.read_to_end(&mut heard);
            tokio::pin!(closed);
            loop {
                // Reading is what answers pings.
                tokio::select! {
                    _ = &mut closed => break,
                    message = idle.0.next() => drop(message.expect("open").expect("a message")),
                }
            }
        };
        within(read).await;
        assert!(heard.ends_with(&[0x89, 0]), "it was pinged before it was given up");
        until("it is gone", || bed.metric("carillon_gateway_connections", "") <= 1.0).await;
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(idle.offset().await, 1);
    });
}

#[test]
fn a_gateway_that_goes_says_when_to_come_back() {
    with_gateway(&[], async |bed| {
        let mut client = bed.listener().await;
        bed.shell.shutdown.cancel();
        let told = client.json().await;
        assert_eq!(told["type"], "reconnect");
        assert!(told["after_ms"].is_u64());
        assert_eq!(client.closed().await.0, 1012);
        drop(client);
        until("it has gone", || bed.running.is_finished()).await;
    });
}

#[test]
fn half_a_request_is_not_waited_for_for_ever() {
    with_gateway(&["--request-timeout-seconds", "1"], async |bed| {
        for text in [
            &HANDSHAKE[..40],
            "POST /api/notifications/send/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n{",
        ] {
            let mut slow = TcpStream::connect(bed.address).await.expect("a connection");
            slow.write_all(text.as_bytes()).await.expect("sent");
            let mut answer = String::new();
            within(slow.read_to_string(&mut answer)).await.expect("an end");
            assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        }
    });
}
