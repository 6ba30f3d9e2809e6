//! Clients that don't keep up, over TLS: what waits for them is as bounded as without, and comes whole.

use carillon_contract::Channel;
use tokio_tungstenite::tungstenite::Message;

use super::with_tls;
use crate::bed::until;

#[test]
fn s4_09_a_slow_client_over_tls_is_bounded_and_gets_whole_frames() {
    with_tls(&["--queue-bytes", "65536"], async |secure| {
        let (bed, everyone) = (secure.bed, Channel::everyone());
        let mut slow = secure.narrow("/ws/notifications/").await;
        assert_eq!(slow.json().await["type"], "greeting");
        let mut fast = secure.listener().await;
        let mut offset = 0;
        let is_closed = || bed.metric("carillon_gateway_slow_consumers_total", "close") > 0.0;
        // Several to a record, one that takes several, and some that end where a record does.
        for size in [300, 30_000, 16_384 - 60, 5_000].into_iter().cycle() {
            offset += 1;
            bed.services.emit(&everyone, format!("{{\"text\":\"{}\"}}", "x".repeat(size))).await;
            assert_eq!(fast.offset().await, offset);
            if is_closed() {
                break;
            }
        }
        let mut last = 0;
        let reason = loop {
            match slow.next().await {
                Message::Text(text) => {
                    let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                    assert_eq!(event["offset"], last + 1);
                    last += 1;
                }
                Message::Close(frame) => break frame.expect("a code"),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((u16::from(reason.code), last < offset), (1013, true));
        let mut back = secure.greeted(&format!("/ws/notifications/?since=e0.{last}")).await;
        assert_eq!(back.json().await["missed"], offset - last);
        assert_eq!(back.offset().await, last + 1);
    });
}

#[test]
fn s4_09_what_waits_behind_a_full_socket_leaves_when_there_is_room() {
    with_tls(&["--queue-bytes", "67108864"], async |secure| {
        let bed = secure.bed;
        let mut slow = secure.narrow("/ws/notifications/").await;
        assert_eq!(slow.json().await["type"], "greeting");
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(900_000));
        for _ in 0..12 {
            bed.services.emit(&Channel::everyone(), large.clone()).await;
        }
        until("it is blocked", || bed.metric("carillon_gateway_blocked_connections", "") == 1.0).await;
        // What is encrypted and has not left is among what waits.
        assert!(bed.metric("carillon_gateway_queue_bytes", "") > 1_000_000.0);
        assert_eq!(slow.offsets(12).await, (1..=12).collect::<Vec<u64>>());
        until("nothing waits", || bed.metric("carillon_gateway_queue_bytes", "") == 0.0).await;
        assert_eq!(bed.metric("carillon_gateway_blocked_connections", ""), 0.0);
    });
}
