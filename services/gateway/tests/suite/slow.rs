//! Clients that don't keep up.

mod dropping;

use carillon_contract::Channel;
use serde_json::json;

use crate::bed::{until, with_gateway};

const COUNT: u64 = 600;

#[test]
fn a_client_that_does_not_read_is_closed_and_delays_nobody() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        let everyone = Channel::everyone();
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(30_000));
        let mut slow = bed.listener().await;
        let mut fast = bed.listener().await;
        for offset in 1..=COUNT {
            bed.services.emit(&everyone, large.clone()).await;
            assert_eq!(fast.offset().await, offset);
        }
        let is_closed = || bed.metric("carillon_gateway_slow_consumers_total", "close") > 0.0;
        until("the slow one is closed", is_closed).await;
        // What it has been sent comes whole and in order; from there it resumes.
        let mut last = 0;
        let reason = loop {
            match slow.next().await {
                tokio_tungstenite::tungstenite::Message::Text(text) => {
                    let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
                    assert_eq!(event["offset"], last + 1);
                    last += 1;
                }
                tokio_tungstenite::tungstenite::Message::Close(frame) => break frame.expect("a code"),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!((u16::from(reason.code), last < COUNT), (1013, true));
        let mut back = bed.greeted(&format!("/ws/notifications/?since=e0.{last}")).await;
        let missed = COUNT - last;
        assert_eq!(back.json().await, json!({"type": "recovery", "recovered": true, "missed": missed}));
        assert_eq!(back.offset().await, last + 1);
    });
}

#[test]
fn an_event_larger_than_the_queue_reaches_a_client_that_keeps_up() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        let everyone = Channel::everyone();
        let huge = format!("{{\"text\":\"{}\"}}", "x".repeat(300_000));
        let mut client = bed.listener().await;
        bed.services.emit(&everyone, huge.clone()).await;
        assert_eq!(client.offset().await, 1);
        // Also while a session opens, and when it comes back.
        let mut open = bed.services.hold_open();
        let mut other = bed.connect("/ws/notifications/?since=e0.0").await;
        open.reached().await;
        bed.services.emit(&everyone, huge).await;
        assert_eq!(client.offset().await, 2);
        drop(open);
        assert_eq!(other.json().await["type"], "greeting");
        assert_eq!(other.json().await["missed"], 1);
        assert_eq!(other.offsets(2).await, [1, 2]);
    });
}
