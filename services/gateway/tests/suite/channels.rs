//! `carillon.v1`: many channels on one connection, each a session of its own.

mod ends;
mod pace;

use carillon_contract::{
    CHANNELS, Channel,
    messages::{Dismissal, Event, TokenRevoked, Variant, access_change::Change},
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::{
    access::{change, end_membership},
    bed::{Bed, token, until, with_gateway},
    client::Client,
};

/// A client that has been greeted.
async fn greeted(bed: &Bed, query: &str) -> Client {
    let mut client = bed.connect(&format!("/ws/v1/{query}")).await;
    let greeting = client.json().await;
    assert_eq!((&greeting["type"], &greeting["protocol"]), (&json!("connected"), &json!("carillon.v1")));
    client
}

fn of(user: &str) -> String {
    format!("?token={}", token(user, 3_600))
}

/// Subscribes, and reads what its owner says first.
async fn subscribe(client: &mut Client, channel: &str) -> Value {
    client.send(&json!({"id": channel, "type": "subscribe", "channel": channel}).to_string()).await;
    let reply = client.json().await;
    assert_eq!((&reply["type"], &reply["id"]), (&json!("subscribed"), &json!(channel)), "{reply}");
    assert_eq!(client.json().await, json!({"channel": channel, "data": {"type": "greeting"}}));
    reply
}

fn channel(name: &str) -> Channel {
    name.parse().expect("a channel")
}

#[test]
fn events_of_many_channels_come_with_their_places() {
    with_gateway(&[], async |bed| {
        let (room, other) = (channel("room.one"), channel("counter.likes"));
        bed.services.append(&room, "{}");
        let mut client = greeted(bed, &of("42")).await;
        let reply = subscribe(&mut client, "room.one").await;
        assert_eq!((&reply["epoch"], &reply["offset"]), (&json!("e0"), &json!(1)));
        subscribe(&mut client, "counter.likes").await;
        subscribe(&mut client, "user.42").await;
        bed.services.emit(&room, "{\"a\":1}").await;
        assert_eq!(client.json().await, json!({"channel": "room.one", "offset": 2, "data": {"a": 1}}));
        bed.services.emit(&other, "{\"b\":2}").await;
        assert_eq!(client.json().await, json!({"channel": "counter.likes", "offset": 1, "data": {"b": 2}}));
        bed.services.publish(&ephemeral("room.one")).await;
        assert_eq!(client.json().await, json!({"channel": "room.one", "data": {"e": 0}}));
        assert_eq!(bed.metric("carillon_gateway_subscriptions", ""), 3.0);
        assert_eq!(bed.metric("carillon_gateway_connections", ""), 1.0);
        client.send(r#"{"id":1,"type":"unsubscribe","channel":"room.one"}"#).await;
        let gone = json!({"id": 1, "type": "unsubscribed", "channel": "room.one"});
        assert_eq!(client.json().await, gone);
        bed.services.emit(&room, "{}").await;
        bed.services.emit(&other, "{}").await;
        assert_eq!(client.json().await["channel"], "counter.likes");
        drop(client);
        until("everything is let go", || bed.metric("carillon_gateway_subscriptions", "") == 0.0).await;
        until("owners are told", || bed.services.farewells().len() == 3).await;
        // Who unsubscribes has left; whose socket vanishes may be back.
        let mut returning: Vec<bool> =
            bed.services.farewells().iter().map(|(_, returning)| *returning).collect();
        returning.sort_unstable();
        assert_eq!(returning, [false, true, true]);
    });
}

fn ephemeral(name: &str) -> Event {
    Event { channel: name.to_owned(), variants: vec![Variant::json("{\"e\":0}")], ..Event::default() }
}

#[test]
fn a_connection_of_any_endpoint_speaks_it_if_it_offers_the_subprotocol() {
    with_gateway(&[], async |bed| {
        let mut request =
            format!("ws://{}/ws/notifications/", bed.address).into_client_request().expect("a request");
        request.headers_mut().insert("sec-websocket-protocol", CHANNELS.parse().expect("a name"));
        let (socket, response) = tokio_tungstenite::connect_async(request).await.expect("a handshake");
        assert_eq!(response.headers()["sec-websocket-protocol"], CHANNELS);
        let mut client = Client(socket);
        assert_eq!(client.json().await["protocol"], CHANNELS);
        subscribe(&mut client, "everyone").await;
    });
}

#[test]
fn what_is_said_to_a_channels_owner_is_answered_by_id_and_in_order() {
    with_gateway(&[], async |bed| {
        let mut client = greeted(bed, &of("42")).await;
        subscribe(&mut client, "room.one").await;
        subscribe(&mut client, "room.two").await;
        let mut held = bed.services.hold_frame();
        let publish = |id: u32, channel: &str| json!({"id": id, "type": "publish", "channel": channel, "data": {"n": id}});
        client.send(&json!([publish(1, "room.one"), publish(2, "room.one")]).to_string()).await;
        held.reached().await;
        client.send(&publish(3, "room.two").to_string()).await;
        let answered = |id: u32, channel: &str, number: u32| json!({"id": id, "type": "published", "channel": channel, "data": [{"answer": number}]});
        // One channel's request doesn't hold up another's.
        assert_eq!(client.json().await, answered(3, "room.two", 1));
        drop(held);
        assert_eq!(client.json().await, answered(1, "room.one", 1));
        assert_eq!(client.json().await, answered(2, "room.one", 2));
        let frames: Vec<String> = bed.services.frames().into_iter().map(|(_, text)| text).collect();
        assert!(frames.contains(&"{\"n\":2}".to_owned()), "{frames:?}");
    });
}

#[test]
fn what_was_missed_of_each_channel_is_sent() {
    with_gateway(&[], async |bed| {
        let (one, two) = (channel("room.one"), channel("room.two"));
        (0..500).for_each(|_| drop(bed.services.append(&one, "{}")));
        (0..9).for_each(|_| drop(bed.services.append(&two, "{}")));
        let mut client = greeted(bed, &of("42")).await;
        client.send(r#"{"id":1,"type":"subscribe","channel":"room.one","since":"e0.100"}"#).await;
        assert_eq!(client.json().await["offset"], 500);
        assert_eq!(client.json().await["data"]["type"], "greeting");
        let recovery = json!({"type": "recovery", "recovered": true, "missed": 400, "channel": "room.one"});
        assert_eq!(client.json().await, recovery);
        assert_eq!(client.offsets(400).await, (101..=500).collect::<Vec<_>>());
        client.send(r#"{"id":2,"type":"subscribe","channel":"room.two","since":"other.3"}"#).await;
        assert_eq!(client.json().await["offset"], 9);
        assert_eq!(client.json().await["data"]["type"], "greeting");
        let lost = json!({"type": "recovery", "recovered": false, "channel": "room.two"});
        assert_eq!(client.json().await, lost);
        client.send(r#"{"id":3,"type":"history","channel":"room.two","after":6,"limit":2}"#).await;
        let events = json!([{"offset": 7, "data": {}}, {"offset": 8, "data": {}}]);
        let reply = json!({"id": 3, "type": "history", "channel": "room.two", "epoch": "e0", "first": 1, "head": 9, "events": events});
        assert_eq!(client.json().await, reply);
        client.send(r#"{"id":4,"type":"presence","channel":"room.two","after":"x","limit":3}"#).await;
        let members = json!([{"after": "x", "limit": 3}]);
        let reply = json!({"id": 4, "type": "presence", "channel": "room.two", "count": 2, "members": members, "next": "more"});
        assert_eq!(client.json().await, reply);
    });
}

#[test]
fn what_cant_be_done_is_refused_and_everything_else_goes_on() {
    with_gateway(&["--subscriptions-per-connection", "2"], async |bed| {
        let mut client = greeted(bed, &of("42")).await;
        for (request, code) in [
            (json!({"id": 1, "type": "subscribe", "channel": "user.43"}), "denied"),
            (json!({"id": 1, "type": "subscribe", "channel": "access"}), "unknown_channel"),
            (json!({"id": 1, "type": "subscribe", "channel": "room.*"}), "unknown_channel"),
            (json!({"id": 1, "type": "subscribe", "channel": "document.x"}), "unsupported"),
            (json!({"id": 1, "type": "publish", "channel": "room.x", "data": {}}), "not_subscribed"),
            (json!({"id": 1, "type": "unsubscribe", "channel": "room.x"}), "not_subscribed"),
            (json!({"id": 1, "type": "history", "channel": "room.x"}), "not_subscribed"),
            (json!({"id": 1, "type": "dance"}), "unknown_type"),
            (json!({"id": 1, "type": "refresh", "token": "x"}), "refresh"),
        ] {
            client.send(&request.to_string()).await;
            let reply = client.json().await;
            let heard = (&reply["id"], &reply["type"], &reply["code"]);
            assert_eq!(heard, (&json!(1), &json!("error"), &json!(code)), "{request}: {reply}");
        }
        client.send("nonsense").await;
        assert_eq!(client.json().await["code"], "invalid_json");
        client.send_binary(b"x").await;
        assert_eq!(client.json().await["code"], "invalid");
        bed.services.reject(4003);
        client.send(r#"{"id":2,"type":"subscribe","channel":"org.acme"}"#).await;
        let refused = json!({"id": 2, "type": "error", "channel": "org.acme", "code": "denied", "message": "rejected", "retry": false});
        assert_eq!(client.json().await, refused);
        bed.services.accept();
        subscribe(&mut client, "room.one").await;
        client.send(r#"{"id":3,"type":"subscribe","channel":"room.one"}"#).await;
        assert_eq!(client.json().await["code"], "already_subscribed");
        client.send(r#"{"id":3,"type":"presence","channel":"room.one"}"#).await;
        assert_eq!(client.json().await["type"], "presence");
        subscribe(&mut client, "user.42").await;
        client.send(r#"{"id":4,"type":"presence","channel":"user.42"}"#).await;
        assert_eq!(client.json().await["code"], "unsupported");
        client.send(r#"{"id":5,"type":"subscribe","channel":"room.three"}"#).await;
        assert_eq!(client.json().await["code"], "too_many_subscriptions");
        assert_eq!(bed.metric("carillon_gateway_limited_total", "subscriptions"), 1.0);
        client.send(r#"{"type":"ping","timestamp":1.50}"#).await;
        assert_eq!(client.next().await.to_string(), r#"{"type":"pong","timestamp":1.50}"#);
    });
}

#[test]
fn a_subscription_ends_alone_and_a_token_takes_all() {
    with_gateway(&[], async |bed| {
        let mut client = greeted(bed, &of("42")).await;
        subscribe(&mut client, "room.one").await;
        subscribe(&mut client, "room.two").await;
        let dismissal = Dismissal { user: "42".to_owned(), code: 4004, reason: "removed".to_owned() };
        let variants = vec![Variant::json("{\"bye\":1}")];
        let event = Event { variants, dismissal: Some(dismissal), ..Event::default() };
        bed.services.emit_event(&channel("room.one"), event).await;
        assert_eq!(client.json().await["data"]["bye"], 1);
        let ended = json!({"type": "unsubscribed", "channel": "room.one", "code": "denied", "message": "removed", "retry": false});
        assert_eq!(client.json().await, ended);
        bed.services.emit(&channel("room.two"), "{}").await;
        assert_eq!(client.offset().await, 1);
        // It may come back, if its owner lets it.
        subscribe(&mut client, "room.one").await;
        bed.services.require("org.acme");
        subscribe(&mut client, "room.three").await;
        end_membership(bed, "42", "org.acme").await;
        let over = client.json().await;
        assert_eq!(
            (&over["type"], &over["channel"], &over["code"]),
            (&json!("unsubscribed"), &json!("room.three"), &json!("denied"))
        );
        let revoked = TokenRevoked { token: "of-42".into(), forget_at: i64::MAX };
        bed.services.emit(&Channel::access(), change(Change::TokenRevoked(revoked))).await;
        assert_eq!(client.closed_at_once().await, (4502, "token revoked".to_owned()));
        until("owners are told", || bed.services.farewells().len() == 4).await;
    });
}

#[test]
fn a_refresh_reaches_every_subscription() {
    with_gateway(&[], async |bed| {
        let mut client = greeted(bed, &format!("?token={}", token("42", 3))).await;
        subscribe(&mut client, "room.one").await;
        assert_eq!(client.json().await["type"], "token_expiring");
        client.send(&json!({"id": 1, "type": "refresh", "token": token("42", 600)}).to_string()).await;
        let reply = client.json().await;
        assert_eq!((&reply["id"], &reply["type"]), (&json!(1), &json!("refreshed")));
        client.send(r#"{"id":2,"type":"publish","channel":"room.one","data":{}}"#).await;
        assert_eq!(client.json().await["type"], "published");
        let expires = bed.services.last_sender().expect("an identity").expires_at;
        let soon =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_micros();
        assert!(expires > i64::try_from(soon).expect("a time") + 300_000_000);
    });
}

#[test]
fn each_request_of_a_batch_counts_as_a_message() {
    with_gateway(&["--messages-per-minute", "3"], async |bed| {
        let mut client = greeted(bed, &of("42")).await;
        let request = |id: u32| json!({"id": id, "type": "unsubscribe", "channel": "room.one"});
        client.send(&json!((1..=5).map(request).collect::<Vec<_>>()).to_string()).await;
        let mut codes = Vec::new();
        for _ in 0..5 {
            let reply = client.json().await;
            assert_eq!(reply["channel"], "room.one", "{reply}");
            codes.push((reply["id"].as_u64(), reply["code"].clone(), reply["retry_after"].is_u64()));
        }
        codes.sort_by_key(|(id, ..)| *id);
        let codes: Vec<_> = codes.iter().map(|(_, code, retries)| (code.as_str(), *retries)).collect();
        let (heard, refused) = ((Some("not_subscribed"), false), (Some("rate_limited"), true));
        assert_eq!(codes, [heard, heard, heard, refused, refused]);
    });
}
