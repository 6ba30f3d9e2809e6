//! Subscriptions that end while something is being asked about them.

use carillon_contract::messages::{Dismissal, Event, Variant};
use serde_json::json;

use super::{channel, greeted, of, subscribe};
use crate::{
    access::end_membership,
    bed::{until, with_gateway},
};

#[test]
fn a_membership_that_ends_while_a_subscription_opens_refuses_it() {
    with_gateway(&[], async |bed| {
        let mut client = greeted(bed, &of("42")).await;
        let mut before = bed.greeted(&format!("/ws/events/acme/{}", of("42"))).await;
        let mut held = bed.services.hold_open();
        client.send(r#"{"id":1,"type":"subscribe","channel":"org.acme"}"#).await;
        held.reached().await;
        end_membership(bed, "42", "org.acme").await;
        assert_eq!(before.closed_at_once().await.0, 4003);
        drop(held);
        let refused = json!({"id": 1, "type": "error", "channel": "org.acme", "code": "denied", "message": "no longer a member", "retry": false});
        assert_eq!(client.json().await, refused);
        until("its owner is told", || bed.services.farewells().len() == 2).await;
        let returning = bed.services.farewells().iter().any(|(_, returning)| *returning);
        assert!(!returning, "who was refused is not awaited");
        subscribe(&mut client, "org.acme").await;
    });
}

#[test]
fn a_subscription_that_ends_before_all_that_was_missed_is_sent_is_answered_once() {
    with_gateway(&[], async |bed| {
        let room = channel("room.one");
        (0..9).for_each(|_| drop(bed.services.append(&room, "{}")));
        let mut client = greeted(bed, &of("42")).await;
        bed.services.refuse("history", 1_000);
        client.send(r#"{"id":1,"type":"subscribe","channel":"room.one","since":"e0.3"}"#).await;
        assert_eq!(client.json().await["type"], "subscribed");
        assert_eq!(client.json().await["data"]["type"], "greeting");
        let over = client.json().await;
        let heard = (&over["type"], &over["channel"], &over["code"], &over["retry"]);
        assert_eq!(heard, (&json!("unsubscribed"), &json!("room.one"), &json!("unavailable"), &json!(true)));
        assert!(over.get("id").is_none(), "{over}");
        bed.services.refuse("history", 0);
        client.send(r#"{"id":2,"type":"subscribe","channel":"room.one","since":"e0.3"}"#).await;
        assert_eq!(client.json().await["type"], "subscribed");
    });
}

#[test]
fn nothing_of_a_channel_is_told_after_its_end() {
    with_gateway(&[], async |bed| {
        let room = channel("room.one");
        bed.services.append(&room, "{\"secret\":1}");
        let mut client = greeted(bed, &of("42")).await;
        subscribe(&mut client, "room.one").await;
        let mut held = bed.services.hold_history();
        client.send(r#"{"id":1,"type":"history","channel":"room.one"}"#).await;
        held.reached().await;
        let dismissal = Dismissal { user: "42".to_owned(), code: 4004, reason: "removed".to_owned() };
        let variants = vec![Variant::json("{\"bye\":1}")];
        let event = Event { variants, dismissal: Some(dismissal), ..Event::default() };
        bed.services.emit_event(&room, event).await;
        assert_eq!(client.json().await["data"]["bye"], 1);
        assert_eq!(client.json().await["type"], "unsubscribed");
        drop(held);
        let reply = client.json().await;
        assert_eq!((&reply["id"], &reply["code"]), (&json!(1), &json!("not_subscribed")), "{reply}");
    });
}
