//! What is said before any event, and what is not.

use carillon_contract::Channel;
use serde_json::json;

use crate::{bed::with_gateway, client::Client};

/// Nothing was said before: a ping sent now is answered first.
async fn is_silent(client: &mut Client) {
    client.send("{\"type\":\"ping\"}").await;
    assert_eq!(client.json().await, json!({"type": "pong"}));
}

fn room() -> Channel {
    Channel::new("room", &["general"]).expect("a channel")
}

#[test]
fn who_is_not_greeted_hears_nothing_before_the_first_event() {
    with_gateway(&[], async |bed| {
        bed.services.greet_with(&[]);
        bed.services.append(&room(), "{}");
        let mut client = bed.connect("/ws/chat/general/").await;
        is_silent(&mut client).await;
        bed.services.emit(&room(), "{}").await;
        assert_eq!(client.offset().await, 2);
    });
}

#[test]
fn who_is_not_greeted_is_told_its_place_for_the_asking() {
    with_gateway(&[], async |bed| {
        bed.services.greet_with(&[]);
        bed.services.append(&room(), "{}");
        let place = json!({
            "type": "connected", "epoch": "e0", "channels": [{"name": "room.general", "offset": 1}],
        });
        let mut client = bed.connect("/ws/chat/general/?since=").await;
        assert_eq!(client.json().await, place);
        is_silent(&mut client).await;
        let mut client = bed.connect("/ws/chat/general/?since=e0.0").await;
        assert_eq!(client.json().await, place);
        assert_eq!(client.json().await, json!({"type": "recovery", "recovered": true, "missed": 1}));
        assert_eq!(client.offset().await, 1);
    });
}

#[test]
fn who_has_no_place_yet_has_lost_none() {
    with_gateway(&[], async |bed| {
        let mut client = bed.greeted("/ws/notifications/?since=").await;
        is_silent(&mut client).await;
    });
}
