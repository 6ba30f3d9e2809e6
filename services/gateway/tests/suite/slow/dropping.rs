//! Endpoints whose slow clients lose ephemeral events, and are told how many.

use carillon_contract::{
    Channel,
    messages::{Event, Variant},
};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    bed::{Bed, with_gateway},
    client::Client,
};

const OPTIONS: &[&str] = &["--queue-bytes", "65536", "--slow-consumer", "notifications=drop,counter=close"];

fn dropped(bed: &Bed, endpoint: &str) -> u64 {
    bed.metric("carillon_gateway_dropped_events_total", endpoint) as u64
}

/// A client that reads nothing, greeted.
async fn slow(bed: &Bed) -> Client {
    let mut client = Client::connect_narrow(bed.address, "/ws/notifications/").await;
    assert_eq!(client.json().await["type"], "greeting");
    client
}

/// Emits numbered ephemeral events until the gateway has dropped some. Returns how many they were.
async fn overwhelm(bed: &Bed, first: u64) -> u64 {
    let (padding, before) = ("x".repeat(20_000), dropped(bed, "notifications"));
    let mut number = first;
    while dropped(bed, "notifications") < before + 5 {
        let json = format!("{{\"number\":{number},\"padding\":\"{padding}\"}}");
        bed.services.emit_ephemeral(&Channel::everyone(), json).await;
        number += 1;
        assert!(number < first + 10_000, "nothing is dropped");
    }
    number - first
}

/// Reads so many numbered events, told ones among them, and checks that what is left out is what it is
/// told of, in its place.
async fn take(client: &mut Client, first: u64, count: u64) -> u64 {
    let (mut next, mut told) = (first, 0);
    while next < first + count {
        let frame = client.json().await;
        if frame["type"] == "dropped" {
            let count = frame["count"].as_u64().expect("a count");
            assert!(count > 0);
            next += count;
            told += count;
        } else {
            assert_eq!(frame["number"], next);
            next += 1;
        }
    }
    assert_eq!(next, first + count);
    told
}

#[test]
fn what_is_dropped_is_told_in_its_place_as_soon_as_there_is_room() {
    with_gateway(OPTIONS, async |bed| {
        let mut client = slow(bed).await;
        let first = overwhelm(bed, 0).await;
        // Nothing more has to happen for it to be told.
        let mut told = take(&mut client, 0, first).await;
        assert_eq!(told, dropped(bed, "notifications"));
        // And again, with another that keeps up all the while.
        let mut fast = bed.listener().await;
        let padding = "x".repeat(20_000);
        let mut number = first;
        while dropped(bed, "notifications") == told {
            let json = format!("{{\"number\":{number},\"padding\":\"{padding}\"}}");
            bed.services.emit_ephemeral(&Channel::everyone(), json).await;
            assert_eq!(fast.json().await["number"], number);
            number += 1;
        }
        told += take(&mut client, first, number - first).await;
        assert_eq!(told, dropped(bed, "notifications"));
        bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!((client.offset().await, fast.offset().await), (1, 1));
        assert_eq!(bed.metric("carillon_gateway_slow_consumers_total", "close"), 0.0);
        // At times the kernel took a little more in between.
        assert!(bed.metric("carillon_gateway_slow_consumers_total", "drop") >= 2.0);
    });
}

#[test]
fn a_durable_event_that_does_not_fit_closes_and_is_had_by_since() {
    with_gateway(OPTIONS, async |bed| {
        let mut client = slow(bed).await;
        bed.services.emit(&Channel::everyone(), "{\"number\":0}").await;
        let count = overwhelm(bed, 1).await;
        let large = format!("{{\"padding\":\"{}\"}}", "x".repeat(60_000));
        let mut head = 1;
        // The kernel may have room for some yet.
        while bed.metric("carillon_gateway_slow_consumers_total", "close") == 0.0 {
            head = bed.services.emit(&Channel::everyone(), large.clone()).await.offset;
            assert!(head < 10_000, "it is never closed");
        }
        let (mut offsets, mut frames) = (Vec::new(), 0_u64);
        let (code, reason) = loop {
            match client.next().await {
                Message::Text(text) => {
                    let frame: Value = serde_json::from_str(&text).expect("JSON");
                    offsets.extend(frame["offset"].as_u64());
                    frames += 1;
                }
                Message::Close(frame) => {
                    let frame = frame.expect("a code");
                    break (u16::from(frame.code), frame.reason.to_string());
                }
                _ => {}
            }
        };
        assert_eq!((code, &*reason), (1013, "slow consumer: reconnect with since"));
        let last = offsets.len() as u64;
        assert_eq!(offsets, (1..=last).collect::<Vec<_>>());
        assert!(last < head && frames < count + head);
        let mut back = bed.greeted(&format!("/ws/notifications/?since=e0.{last}")).await;
        assert_eq!(back.json().await["missed"], head - last);
        let missed = usize::try_from(head - last).expect("a count");
        assert_eq!(back.offsets(missed).await, (last + 1..=head).collect::<Vec<_>>());
    });
}

#[test]
fn other_endpoints_keep_their_policy() {
    with_gateway(&["--queue-bytes", "65536", "--slow-consumer", "counter=drop"], async |bed| {
        let mut client = slow(bed).await;
        let padding = format!("{{\"padding\":\"{}\"}}", "x".repeat(20_000));
        while bed.metric("carillon_gateway_slow_consumers_total", "close") == 0.0 {
            bed.services.emit_ephemeral(&Channel::everyone(), padding.clone()).await;
        }
        assert_eq!(client.closed().await.0, 1013);
        assert_eq!(dropped(bed, ""), 0);
    });
}

/// A document's awareness is said again and again by those whom it is about.
#[test]
fn a_client_of_binary_frames_loses_them_without_a_word() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        bed.services.greet_with(&[b"hello"]);
        let document = Channel::new("document", &["plan"]).expect("a channel");
        let mut client = Client::connect_narrow(bed.address, "/ws/documents/plan/").await;
        assert_eq!(client.binary().await, b"hello");
        let event = |payload: Vec<u8>| Event {
            channel: document.as_str().to_owned(),
            variants: vec![Variant::binary(payload)],
            ..Event::default()
        };
        let mut fast = bed.connect("/ws/documents/plan/").await;
        assert_eq!(fast.binary().await, b"hello");
        let mut sent = 0;
        while dropped(bed, "document") < 5 {
            bed.services.publish(&event(vec![7; 20_000])).await;
            assert_eq!(fast.binary().await, [7; 20_000]);
            sent += 1;
            assert!(sent < 10_000, "nothing is dropped");
        }
        // Once there is room for it, what is durable arrives as ever; nothing else has been said.
        let arrived = sent - dropped(bed, "document");
        for _ in 0..arrived {
            assert_eq!(client.binary().await, [7; 20_000]);
        }
        bed.services.emit_event(&document, event(b"durable".to_vec())).await;
        assert_eq!(client.binary().await, b"durable");
    });
}
