//! Sessions over TLS: frames however they lie in its records, and how they end.

use carillon_contract::Channel;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

use super::with_tls;
use crate::{bed::until, client::within};

const CHAT: &str = "/ws/chat/general/";
const DOCUMENT: &str = "/ws/documents/plan/";

/// A text frame of a client, masked with nothing.
fn frame(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("a short text");
    [&[0x81, 0x80 | length, 0, 0, 0, 0], text].concat()
}

#[test]
fn s4_09_large_frames_both_ways() {
    with_tls(&["--binary-frame-bytes", "2097152"], async |secure| {
        secure.bed.services.greet_with(&[b"\0{}"]);
        let mut client = secure.connect(DOCUMENT).await;
        assert_eq!(client.binary().await, b"\0{}");
        let large: Vec<u8> = (0..1_500_000_u32).map(|number| (number % 251) as u8).collect();
        for length in [16_384, 16_385, 100_000, 1_500_000] {
            client.send_binary(&large[..length]).await;
            let answer = client.binary().await;
            assert!(answer.starts_with(b"\xffyou said: ") && answer.ends_with(&large[..length]), "{length}");
        }
    });
}

#[test]
fn s4_09_many_frames_in_one_record_and_one_in_many() {
    with_tls(&[], async |secure| {
        let mut client = secure.greeted(CHAT).await;
        let many = frame(b"{}").repeat(200);
        within(client.0.get_mut().write_all(&many)).await.expect("sent");
        for number in 1..=200 {
            assert_eq!(client.json().await["answer"], number);
        }
        for byte in frame(b"{}") {
            within(client.0.get_mut().write_all(&[byte])).await.expect("sent");
            within(client.0.get_mut().flush()).await.expect("sent");
        }
        assert_eq!(client.json().await["answer"], 201);
    });
}

/// In the record of its handshake, in one of its own behind it, and in more than are read at a time.
#[test]
fn s4_09_what_is_said_on_the_heels_of_the_handshake_is_heard() {
    with_tls(&[], async |secure| {
        let handshake = format!(
            "GET {CHAT} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        let one = [handshake.as_bytes(), &frame(b"{}")].concat();
        let several = frame(b"{}").repeat(5_000);
        for (records, last) in [
            (vec![&one[..]], "\"answer\":1}"),
            (vec![handshake.as_bytes(), &one[handshake.len()..]], "\"answer\":1}"),
            (vec![handshake.as_bytes(), &several], "\"answer\":5000}"),
        ] {
            let mut stream = secure.stream().await;
            let (mut reading, mut writing) = tokio::io::split(&mut stream);
            let saying = async {
                for record in &records {
                    writing.write_all(record).await.expect("sent");
                }
                writing.flush().await.expect("sent");
            };
            let hearing = async {
                let (mut heard, mut buffer) = (Vec::new(), [0; 16 * 1024]);
                while !heard.ends_with(last.as_bytes()) {
                    let count = reading.read(&mut buffer).await.expect("more");
                    assert!(count > 0, "{:?}", String::from_utf8_lossy(&heard));
                    heard.extend_from_slice(&buffer[..count]);
                }
            };
            within(async { tokio::join!(saying, hearing) }).await;
        }
    });
}

#[test]
fn s4_09_the_end_is_said_in_both_protocols() {
    with_tls(&[], async |secure| {
        let mut theirs = secure.listener().await;
        let goodbye = CloseFrame { code: 4321.into(), reason: "".into() };
        theirs.0.close(Some(goodbye)).await.expect("sent");
        assert_eq!(theirs.closed_at_once().await.0, 4321);
        // An end without TLS's own word would be an error here.
        assert!(within(theirs.0.next()).await.is_none());
        let mut ours = secure.listener().await;
        secure.bed.shell.shutdown.cancel();
        assert_eq!(ours.json().await["type"], "reconnect");
        assert_eq!(ours.closed_at_once().await.0, 1012);
        assert!(within(ours.0.next()).await.is_none());
    });
}

#[test]
fn s4_09_who_leaves_without_a_word_has_been_heard_and_has_vanished() {
    with_tls(&[], async |secure| {
        let closed = |count: f64| {
            let closes = || secure.bed.metric("carillon_gateway_closes_total", "vanished");
            until("it is gone", move || closes() == count)
        };
        let answered = || secure.bed.services.frames();
        // Neither a close frame nor a close_notify.
        let mut client = secure.greeted(CHAT).await;
        client.send("{\"no\":1}").await;
        within(client.0.get_mut().get_mut().0.shutdown()).await.expect("closed");
        closed(1.0).await;
        // A close_notify, and no close frame.
        let mut client = secure.greeted(CHAT).await;
        client.send("{\"no\":2}").await;
        within(client.0.get_mut().shutdown()).await.expect("closed");
        closed(2.0).await;
        let heard: Vec<String> = answered().into_iter().map(|(_, text)| text).collect();
        assert_eq!(heard, ["{\"no\":1}", "{\"no\":2}"]);
    });
}

/// What breaks TLS ends one connection, which is told so.
#[test]
fn s4_09_a_broken_record_ends_its_connection_only() {
    with_tls(&[], async |secure| {
        let mut other = secure.listener().await;
        let mut client = secure.listener().await;
        let record = [&[0x17, 3, 3, 0, 40][..], &[7; 40]].concat();
        within(client.0.get_mut().get_mut().0.write_all(&record)).await.expect("sent");
        let end = within(client.0.next()).await.expect("an error before the end");
        let error = end.expect_err("an alert").to_string();
        assert!(error.to_lowercase().contains("alert"), "{error}");
        until("it is gone", || secure.bed.metric("carillon_gateway_connections", "notifications") == 1.0)
            .await;
        secure.bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(other.offset().await, 1);
        other.0.close(None).await.expect("sent");
        assert!(matches!(other.next().await, Message::Close(_)));
    });
}
