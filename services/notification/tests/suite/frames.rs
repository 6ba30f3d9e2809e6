use carillon_contract::Channel;
use serde_json::json;

use carillon_testkit::service::{Place, session, user};

use crate::world::World;

pub(crate) async fn marking_one_reaches_every_connection(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 3).await;
    let mut live = world.listen(Channel::user("1").expect("a channel")).await;
    let connection = session("notifications", "events", Some(user("1")), &[]);
    let frames = world.frame(&connection, 1, r#"{"type":"mark_read","id":2}"#).await;
    assert_eq!(frames, [json!({"type": "marked_read", "id": 2, "count": 2, "version": 4})]);
    let event = live.next().await;
    assert_eq!(event.offset, 4);
    assert_eq!(event.except_connection, "");
    assert_eq!(event.variants[0].json, r#"{"count":2,"type":"unread_count","version":4}"#);
    // What is read already changes nothing, and nobody else is told.
    let frames = world.frame(&connection, 2, r#"{"type":"mark_read","notification_id":"2"}"#).await;
    assert_eq!(frames, [json!({"type": "marked_read", "id": 2, "count": 2, "version": 4})]);
    let frames = world.frame(&connection, 3, r#"{"type":"mark_read","id":99}"#).await;
    assert_eq!(frames, [json!({"type": "error", "message": "Unknown notification"})]);
    assert_eq!(world.history(&Channel::user("1").expect("a channel")).await.len(), 4);
    assert_eq!(world.unread("1").await, 2);
}

pub(crate) async fn marking_all_up_to_one_leaves_the_rest(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 5).await;
    let connection = session("user-notifications", "events", Some(user("1")), &[("user_id", "1")]);
    let frames = world.frame(&connection, 1, r#"{"type":"mark_all_read","up_to":3}"#).await;
    assert_eq!(frames, [json!({"type": "marked_all_read", "marked": 3, "count": 2, "version": 6})]);
    let frames = world.frame(&connection, 2, r#"{"type":"mark_all_read"}"#).await;
    assert_eq!(frames, [json!({"type": "marked_all_read", "marked": 2, "count": 0, "version": 7})]);
}

/// The gateway asks again under the same number when no answer came: what has arrived since then
/// stays unread.
pub(crate) async fn a_repeated_frame_is_handled_once(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 2).await;
    let connection = session("notifications", "events", Some(user("1")), &[]);
    world.frame(&connection, 1, r#"{"type":"mark_all_read"}"#).await;
    world.send_many("1", 1).await;
    let frames = world.frame(&connection, 1, r#"{"type":"mark_all_read"}"#).await;
    assert_eq!(frames[0]["count"], 1);
    assert_eq!(world.unread("1").await, 1);
    let counts = world.history(&Channel::user("1").expect("a channel")).await.len();
    assert_eq!(counts, 4);
}

/// S3-01: document 3's frames have the sender's id as `id`, and ours as `notification_id`.
pub(crate) async fn a_client_of_document_3_marks_by_its_own_id(place: Place) {
    let world = World::start(place).await;
    let ticket = |id: &str| json!({"title": "t", "message": "m", "user_id": 1, "id": id});
    world.send(&ticket("ticket_123_assigned")).await;
    world.send(&ticket("1")).await;
    let connection = session("notifications", "ticketing", Some(user("1")), &[]);
    let frames = world.frame(&connection, 1, r#"{"type":"mark_read","id":"ticket_123_assigned"}"#).await;
    assert_eq!(frames[0]["type"], "marked_read");
    // The sender called the second one 1, which is our id of the first.
    world.frame(&connection, 2, r#"{"type":"mark_read","id":1}"#).await;
    assert_eq!(world.unread("1").await, 0);
}

/// S1-06, S1-16.
pub(crate) async fn whatever_else_comes_is_answered_with_an_error(place: Place) {
    let world = World::start(place).await;
    let connection = session("notifications", "events", Some(user("1")), &[]);
    let anonymous = session("notifications", "rooms", None, &[]);
    let events = session("events", "", Some(user("1")), &[("org_id", "acme")]);
    for (connection, payload, message) in [
        (&connection, "{", "Invalid JSON"),
        (&connection, "[]", "Invalid message format"),
        (&connection, r#"{"type":"dance"}"#, "Unknown message type: dance"),
        (&events, r#"{"type":"mark_all_read"}"#, "Unknown message type: mark_all_read"),
        (&anonymous, r#"{"type":"mark_all_read"}"#, "Only a user with a token has notifications to mark"),
    ] {
        let frames = world.frame(connection, 1, payload).await;
        assert_eq!(frames, [json!({"type": "error", "message": message})]);
    }
}
