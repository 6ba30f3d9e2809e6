//! Subscriptions of one client that get much at the same time.

use serde_json::json;

use super::{channel, of, subscribe};
use crate::{bed::with_gateway, client::Client};

const BOUND: [&str; 2] = ["--queue-bytes", "65536"];

/// A client that reads, though its socket takes little at a time.
async fn narrow(bed: &crate::bed::Bed) -> Client {
    let mut client = Client::connect_narrow(bed.address, &format!("/ws/v1/{}", of("42"))).await;
    assert_eq!(client.json().await["type"], "connected");
    client
}

fn subscriptions(more: &serde_json::Value) -> String {
    let subscribe = |number: u32| {
        let mut request = json!({"id": number, "type": "subscribe", "channel": format!("room.{number}-x")});
        for (name, value) in more.as_object().expect("an object") {
            request[name] = value.clone();
        }
        request
    };
    json!((0..8).map(subscribe).collect::<Vec<_>>()).to_string()
}

#[test]
fn long_greetings_of_many_channels_make_nobody_slow() {
    with_gateway(&BOUND, async |bed| {
        let greeting = json!({"type": "greeting", "text": "x".repeat(3_000_000)}).to_string();
        bed.services.greet_with(&[greeting.leak().as_bytes()]);
        let mut client = narrow(bed).await;
        let mut opens = [(); 8].map(|()| bed.services.hold_open());
        client.send(&subscriptions(&json!({}))).await;
        for open in &mut opens {
            open.reached().await;
        }
        drop(opens);
        let (mut subscribed, mut greeted) = (0, 0);
        while subscribed + greeted < 16 {
            let frame = client.json().await;
            subscribed += usize::from(frame["type"] == "subscribed");
            greeted += usize::from(frame["data"]["type"] == "greeting");
        }
        assert_eq!((subscribed, greeted), (8, 8));
    });
}

#[test]
fn what_is_replayed_or_asked_for_makes_nobody_slow_for_live_events() {
    with_gateway(&BOUND, async |bed| {
        let large = json!({"text": "x".repeat(200_000)}).to_string();
        for number in 0..8 {
            (0..9).for_each(|_| {
                drop(bed.services.append(&channel(&format!("room.{number}-x")), large.clone()))
            });
        }
        let (live, past) = (channel("room.live"), channel("room.0-x"));
        let mut client = narrow(bed).await;
        subscribe(&mut client, "room.live").await;
        client.send(&subscriptions(&json!({"since": "e0.0"}))).await;
        let mut replayed = 0;
        let mut offset = 0;
        while replayed < 8 * 9 {
            let frame = client.json().await;
            assert!(frame["type"] != "error", "{frame}");
            if frame["channel"] == "room.live" {
                offset += 1;
                assert_eq!(frame["offset"], offset);
            } else {
                replayed += usize::from(frame["data"]["text"].is_string());
            }
            bed.services.emit(&live, "{}").await;
        }
        client
            .send(&json!({"id": "past", "type": "history", "channel": past.as_str(), "limit": 9}).to_string())
            .await;
        loop {
            bed.services.emit(&live, "{}").await;
            if client.json().await["type"] == "history" {
                break;
            }
        }
        let last = bed.services.emit(&live, "{}").await.offset;
        while client.json().await["offset"] != last {}
    });
}
