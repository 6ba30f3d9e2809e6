//! Server-sent events: what reaches clients that can't keep a WebSocket.

mod endings;
mod refusals;

use carillon_contract::{
    Channel,
    messages::{Event, Variant},
};
use serde_json::{Value, json};

use crate::{
    bed::{token, until, with_gateway},
    event_source::Block,
};

fn room() -> Channel {
    Channel::new("room", &["general"]).expect("a channel")
}

#[test]
fn events_come_with_their_places_and_ephemeral_ones_without() {
    with_gateway(&[], async |bed| {
        bed.services.append(&room(), "{}");
        let mut source = bed.event_source("room.general/", &[]).await;
        let channels = json!([{"name": "room.general", "offset": 1}]);
        let greeting = json!({"type": "greeting", "epoch": "e0", "channels": channels});
        assert_eq!(source.message().await, (Some("e0.1".to_owned()), greeting));
        bed.services.emit(&room(), "{\n\"text\":\"a\\nb\"}").await;
        bed.services.emit_ephemeral(&room(), "{\"typing\":true}").await;
        let event = json!({"text": "a\nb", "channel": "room.general", "offset": 2});
        assert_eq!(source.message().await, (Some("e0.2".to_owned()), event));
        let typing = json!({"typing": true, "channel": "room.general"});
        assert_eq!(source.message().await, (None, typing));
        assert_eq!(bed.metric("carillon_gateway_connections", "chat"), 1.0);
        assert_eq!(bed.metric("carillon_gateway_handshakes_total", "accepted"), 1.0);
    });
}

#[test]
fn one_channel_of_several_is_heard_in_the_default_dialect() {
    with_gateway(&[], async |bed| {
        let variant = |dialect: &str| Variant {
            dialects: vec![dialect.to_owned()],
            ..Variant::json(format!("{{\"dialect\":\"{dialect}\"}}"))
        };
        let token = token("7", 60);
        let mut source = bed.event_source(&format!("user.7?token={token}"), &[]).await;
        assert_eq!(source.json().await["channels"], json!([{"name": "user.7", "offset": 0}]));
        bed.services.emit(&Channel::everyone(), "{}").await;
        let variants = vec![variant("rooms"), variant("events")];
        let event = Event { variants, ..Event::default() };
        bed.services.emit_event(&Channel::user("7").expect("a channel"), event).await;
        assert_eq!(source.json().await, json!({"dialect": "events", "channel": "user.7", "offset": 1}));
    });
}

#[test]
fn what_was_missed_since_the_last_id_comes_in_order_and_once() {
    with_gateway(&["--queue-bytes", "65536"], async |bed| {
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
        (0..300).for_each(|_| drop(bed.services.append(&room(), large.clone())));
        let mut open = bed.services.hold_open();
        // The header counts before the `since` with which it began.
        let (mut source, ()) = tokio::join!(
            bed.event_source("room.general/?since=e0.290", &[("last-event-id", "e0.20")]),
            async {
                open.reached().await;
                bed.services.emit(&room(), "{}").await;
                drop(open);
            }
        );
        // Who goes before it had what it missed is to ask for that again.
        let (id, greeting) = source.message().await;
        assert_eq!((id, &greeting["channels"][0]["offset"]), (None, &json!(300)));
        let recovery = json!({"type": "recovery", "recovered": true, "missed": 280});
        assert_eq!(source.message().await, (None, recovery));
        let expected: Vec<String> = (21..=301).map(|offset| format!("e0.{offset}")).collect();
        assert_eq!(source.ids(281).await, expected);
        let mut other = bed.event_source("room.general/?since=e0.299", &[]).await;
        assert_eq!(other.json().await["type"], "greeting");
        assert_eq!(other.json().await["missed"], 2);
        assert_eq!(other.ids(2).await, ["e0.300", "e0.301"]);
    });
}

#[test]
fn a_place_that_is_lost_is_told_with_the_one_from_which_to_go_on() {
    with_gateway(&[], async |bed| {
        (0..9).for_each(|_| drop(bed.services.append(&room(), "{}")));
        bed.services.prune(&room(), 5);
        for last in ["e0.4", "other.8", "e0.10", "nonsense"] {
            let mut source = bed.event_source("room.general/", &[("last-event-id", last)]).await;
            assert_eq!(source.message().await.0, None);
            let lost = json!({"type": "recovery", "recovered": false});
            assert_eq!(source.message().await, (Some("e0.9".to_owned()), lost), "{last}");
        }
    });
}

#[test]
fn where_nobody_greets_the_place_is_told() {
    with_gateway(&[], async |bed| {
        bed.services.greet_with(&[]);
        let mut source = bed.event_source("room.general/", &[]).await;
        let (id, first) = source.message().await;
        assert_eq!((id.as_deref(), &first["type"]), (Some("e0.0"), &json!("connected")));
    });
}

#[test]
fn a_heartbeat_is_a_comment() {
    with_gateway(&["--heartbeat-seconds", "1"], async |bed| {
        let mut source = bed.event_source("room.general/", &[]).await;
        assert_eq!(source.json().await["type"], "greeting");
        for _ in 0..4 {
            assert_eq!(source.block().await, Some(Block::default()));
        }
        bed.services.emit(&room(), "{}").await;
        assert_eq!(source.json().await["offset"], 1);
    });
}

#[test]
fn many_streams_hear_the_same() {
    with_gateway(&["--workers", "2"], async |bed| {
        let mut sources = Vec::new();
        for _ in 0..20 {
            sources.push(bed.event_source("room.general/", &[]).await);
        }
        let mut socket = bed.greeted("/ws/chat/general/").await;
        for offset in 1..=30 {
            bed.services.emit(&room(), format!("{{\"number\":{offset}}}")).await;
        }
        assert_eq!(socket.offsets(30).await, (1..=30).collect::<Vec<_>>());
        for source in &mut sources {
            assert_eq!(source.json().await["type"], "greeting");
            assert_eq!(
                source.ids(30).await,
                (1..=30).map(|offset| format!("e0.{offset}")).collect::<Vec<_>>()
            );
        }
    });
}

#[test]
fn who_leaves_is_let_go_at_once() {
    with_gateway(&[], async |bed| {
        let mut source = bed.event_source("room.general/", &[]).await;
        assert_eq!(source.json().await["type"], "greeting");
        drop(source);
        until("its owner is told", || bed.services.farewells().len() == 1).await;
        assert!(bed.services.farewells()[0].1, "it may be back");
        let is_gone = || bed.metric("carillon_gateway_connections", "") == 0.0;
        until("it is gone", is_gone).await;
        // Also while its session is being opened.
        let mut open = bed.services.hold_open();
        let asking =
            tokio::time::timeout(std::time::Duration::from_millis(200), bed.events("room.general/", &[]));
        assert!(asking.await.is_err());
        open.reached().await;
        drop(open);
        until("it is gone too", || bed.services.farewells().len() == 2 && is_gone()).await;
    });
}

/// A page of another origin gets what the HTTP API allows it.
#[test]
fn pages_of_other_origins_are_told_what_they_may() {
    with_gateway(&["--cors-origins", "https://app.example.com"], async |bed| {
        let origin = ("origin", "https://app.example.com");
        let allowed = bed.events("room.general/", &[origin]).await;
        assert_eq!(allowed.headers()["access-control-allow-origin"], "https://app.example.com");
        assert_eq!(allowed.status().as_u16(), 200);
        let url = format!("http://{}/api/events/room.general/", bed.address);
        let preflight = reqwest::Client::new().request(reqwest::Method::OPTIONS, url);
        let preflight = preflight.header(origin.0, origin.1).header("access-control-request-method", "GET");
        let wanted = "authorization,last-event-id,cache-control";
        let preflight = preflight.header("access-control-request-headers", wanted);
        assert_eq!(preflight.send().await.expect("an answer").status().as_u16(), 200);
        let foreign = bed.events("room.general/", &[("origin", "https://evil.example")]).await;
        assert_eq!(foreign.status().as_u16(), 403);
        let problem: Value = foreign.json().await.expect("a problem");
        assert_eq!(problem["detail"], "origin not allowed");
    });
}
