//! Conversations: entering them, and messages (S4-01, S4-03, S4-04).

use carillon_contract::messages::Session;
use carillon_testkit::service::{Place, json_of};
use serde_json::{Value, json};

use crate::{
    talk::{ask, at, channel, connection, conversation, enter, messages, refusal, refused, said, say, told},
    world::World,
};

/// S4-01: unknown and not mine are the same, and `007` is not 7.
pub(crate) async fn only_participants_enter(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    enter(&world, &at(id, "2"), &[]).await;
    let stranger = refusal(&world, &at(id, "3")).await;
    assert_eq!(stranger.0, 4004);
    assert_eq!(refusal(&world, &at(id + 1, "1")).await, stranger);
    for name in ["007", "0", "00", "9223372036854775808", "99999999999999999999"] {
        let mut session = at(7, "1");
        session.parameters.insert("room_name".to_owned(), name.to_owned());
        assert_eq!(refusal(&world, &session).await, stranger, "{name}");
    }
    assert!(told(&world, id).await.is_empty());
}

/// The greeting: who takes part and is online, what is unread, and the last messages to who asks.
pub(crate) async fn a_newcomer_is_told_what_there_is(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2", "3"]).await;
    enter(&world, &at(id, "2"), &[]).await;
    for (number, text) in ["one", "two", "three"].into_iter().enumerate() {
        say(&world, &at(id, "2"), number as u64 + 1, text).await;
    }
    let greeting = enter(&world, &at(id, "1"), &[]).await;
    assert_eq!(
        greeting[0],
        json!({
            "type": "conversation_joined",
            "conversation": {
                "id": id,
                "name": null,
                "participants": [
                    {"id": 1, "first_name": "John", "last_name": "Doe", "username": "user-1",
                     "status": "online", "read_up_to": 0},
                    {"id": 2, "first_name": "Ann", "last_name": "Lee", "username": "user-2",
                     "status": "online", "read_up_to": 0},
                    {"id": 3, "first_name": "", "last_name": "", "username": "",
                     "status": "offline", "read_up_to": 0},
                ],
                "unread_count": 3,
            },
            "user_id": 1,
        })
    );
    assert_eq!(greeting[1..], [json!({"type": "user_status", "user_id": 2, "status": "online"})]);
    let greeting = enter(&world, &connection(id, "2", "another"), &[("history", "2")]).await;
    assert_eq!(greeting[0]["conversation"]["unread_count"], 0);
    let texts: Vec<_> = greeting.iter().skip(2).map(|frame| frame["message"]["content"].clone()).collect();
    assert_eq!(texts, ["two", "three"]);
    assert_eq!(greeting[3]["message"], messages(&world, id, "2").await[2]);
}

/// S4-03: document 4's fields, the sender's acknowledgement, and an excerpt of what is answered.
pub(crate) async fn a_message_is_heard_as_in_the_document(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let mut listener = world.listen(&channel(id)).await;
    let frame =
        json!({"type": "chat_message", "message": "Hello there!", "message_type": "text", "client_id": 5});
    let ack = world.frame(&at(id, "1"), 1, &frame).await;
    let heard = listener.next().await;
    let json = json_of(&heard, "");
    let first = json["message"]["id"].clone();
    assert_eq!(
        ack,
        [json!({"type": "message_ack", "client_id": 5, "message_id": first, "offset": heard.offset})]
    );
    assert_eq!((json["type"].as_str(), heard.except_connection.as_str()), (Some("chat_message"), ""));
    let message = &json["message"];
    assert_eq!(
        (&message["content"], &message["message_type"], &message["client_id"]),
        (&json!("Hello there!"), &json!("text"), &json!(5))
    );
    let sender = json!({"id": 1, "first_name": "John", "last_name": "Doe", "username": "user-1"});
    assert_eq!(message["sender"], sender);
    assert!(message["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));

    let answer = json!({"type": "chat_message", "message": "Hi", "reply_to": first});
    assert!(world.frame(&at(id, "2"), 1, &answer).await.is_empty());
    let json = listener.json().await;
    let quote = json!({"id": first, "sender": sender, "excerpt": "Hello there!"});
    assert_eq!(json["message"]["reply_to"], quote);
    assert_eq!(messages(&world, id, "1").await[1], json["message"]);
}

/// What the gateway repeats, and what a client sends again, is one message.
pub(crate) async fn a_repeated_message_is_one_message(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let frame = json!({"type": "chat_message", "message": "once", "client_id": "c"});
    let first = world.frame(&at(id, "1"), 1, &frame).await;
    let again = Session { connection: "another".to_owned(), ..at(id, "1") };
    for (session, number) in [(at(id, "1"), 1), (at(id, "1"), 2), (again, 1)] {
        assert_eq!(world.frame(&session, number, &frame).await, first);
    }
    for _ in 0..2 {
        world.frame(&at(id, "1"), 9, &said("plain")).await;
    }
    // Another sender's and another conversation's ids are their own.
    world.frame(&at(id, "2"), 1, &frame).await;
    let other = conversation(&world, &["1", "2"]).await;
    world.frame(&at(other, "1"), 1, &frame).await;
    let texts: Vec<_> = messages(&world, id, "1").await.iter().map(|it| it["content"].clone()).collect();
    assert_eq!(texts, ["once", "plain", "once"]);
    assert_eq!(messages(&world, other, "1").await.len(), 1);
}

/// "What bad input gets": an error frame with the frame's own id, and nothing stored.
pub(crate) async fn what_is_wrong_is_refused_and_not_stored(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let elsewhere = conversation(&world, &["1", "3"]).await;
    let foreign = say(&world, &at(elsewhere, "1"), 1, "elsewhere").await;
    let cases: Vec<(Value, &str)> = vec![
        (json!({"type": "chat_message", "message": "x", "reply_to": foreign}), "unknown_message"),
        (json!({"type": "chat_message", "message": "x", "reply_to": i64::MAX}), "unknown_message"),
        (json!({"type": "chat_message", "message": "x", "reply_to": 1e300}), "invalid"),
        (json!({"type": "chat_message", "message": "x", "reply_to": 1.5}), "invalid"),
        (json!({"type": "chat_message", "message": "x", "attachments": ["a"]}), "attachment_unknown"),
        (said("a\0b"), "invalid_message"),
        (said(&"x".repeat(10_001)), "invalid_message"),
        (
            json!({"type": "chat_message", "message": "x", "message_type": "x".repeat(33)}),
            "invalid_message_type",
        ),
        (json!({"type": "message_read", "message_id": foreign}), "unknown_message"),
        (json!({"type": "message_edit", "message_id": foreign, "message": "x"}), "unknown_message"),
        (json!({"type": "message_delete", "message_id": foreign}), "unknown_message"),
        (
            json!({"type": "message_reaction", "message_id": foreign, "emoji": "👍", "action": "add"}),
            "unknown_message",
        ),
        (
            json!({"type": "message_reaction", "message_id": foreign, "emoji": "no", "action": "add"}),
            "invalid_emoji",
        ),
        (
            json!({"type": "message_reaction", "message_id": foreign, "emoji": "👍", "action": "no"}),
            "invalid",
        ),
        (json!({"type": "typing_indicator"}), "invalid"),
        (json!({"type": "no such"}), "invalid"),
        (json!([]), "invalid"),
    ];
    for (number, (frame, code)) in cases.iter().enumerate() {
        assert_eq!(&refused(&world, &at(id, "1"), number as u64 + 1, frame).await, code, "{frame}");
    }
    let named = json!({"type": "chat_message", "message": "", "client_id": "mine"});
    assert_eq!(world.frame(&at(id, "1"), 90, &named).await[0]["client_id"], "mine");
    // One who is no participant, however it got a connection.
    for frame in [
        said("x"),
        json!({"type": "message_read", "message_id": foreign}),
        json!({"type": "typing_indicator", "is_typing": true}),
    ] {
        assert_eq!(refused(&world, &at(id, "3"), 1, &frame).await, "not_a_participant");
    }
    assert!(told(&world, id).await.is_empty());
    assert!(messages(&world, id, "1").await.is_empty());
    assert_eq!(told(&world, elsewhere).await.len(), 1);
}

/// S4-04: once for each user, however many its tabs, to every conversation that it takes part in.
pub(crate) async fn who_is_online_is_told_once_for_each_user(place: Place) {
    let world = World::start(place).await;
    let (id, other) = (conversation(&world, &["1", "2"]).await, conversation(&world, &["3", "2"]).await);
    let mut here = world.listen(&channel(id)).await;
    let mut there = world.listen(&channel(other)).await;
    let tabs = [at(id, "2"), connection(id, "2", "second"), at(other, "2")];
    for tab in &tabs {
        enter(&world, tab, &[]).await;
    }
    for tab in &tabs {
        world.close(tab, false).await;
    }
    for listener in [&mut here, &mut there] {
        for status in ["online", "offline"] {
            let frame = json!({"type": "user_status", "user_id": 2, "status": status});
            assert_eq!(listener.json().await, frame);
        }
    }
    let history = world.history(&channel(id)).await;
    assert_eq!(history.len(), 2);
    let shown = world.ask(&ask("show", id, "1")).await.ok();
    assert_eq!(shown["participants"][1]["status"], "offline");
}
