//! What becomes of messages in conversations: reading, reactions, editing, deletion (S4-04).

use carillon_contract::messages::{Identity, Session};
use carillon_testkit::service::{Place, admin, json_of};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

use crate::{
    talk::{ask, at, channel, connection, conversation, messages, refused, say, told},
    world::World,
};

fn react(message: i64, emoji: &str, action: &str) -> Value {
    json!({"type": "message_reaction", "message_id": message, "emoji": emoji, "action": action})
}

fn edit(message: i64, text: &str) -> Value {
    json!({"type": "message_edit", "message_id": message, "message": text})
}

fn delete(message: i64) -> Value {
    json!({"type": "message_delete", "message_id": message})
}

fn read(message: i64) -> Value {
    json!({"type": "message_read", "message_id": message})
}

/// Does something that is not refused.
async fn done(world: &World, session: &Session, number: u64, frame: &Value) {
    assert_eq!(world.frame(session, number, frame).await, [] as [Value; 0], "{frame}");
}

/// Document 4's receipt; everything up to it is read, and it never goes back.
pub(crate) async fn reading_only_moves_forward(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(say(&world, &at(id, "1"), number, "text").await);
    }
    let mut listener = world.listen(&channel(id)).await;
    done(&world, &at(id, "2"), 1, &read(ids[1])).await;
    let frame = listener.json().await;
    assert_eq!((&frame["type"], &frame["message_id"]), (&json!("message_read"), &json!(ids[1])));
    let reader = json!({"id": 2, "first_name": "Ann", "last_name": "Lee", "username": "user-2"});
    assert_eq!(frame["read_by"], reader);
    assert!(frame["read_at"].as_str().is_some_and(|time| time.starts_with("20")));
    for (number, message) in [(2, ids[1]), (3, ids[0])] {
        done(&world, &at(id, "2"), number, &read(message)).await;
    }
    let shown = world.ask(&ask("show", id, "2")).await.ok();
    assert_eq!(
        (&shown["unread_count"], &shown["participants"][1]["read_up_to"]),
        (&json!(1), &json!(ids[1]))
    );
    done(&world, &at(id, "2"), 4, &read(ids[2])).await;
    assert_eq!(world.ask(&ask("show", id, "2")).await.ok()["unread_count"], 0);
    let receipts = told(&world, id).await.into_iter().filter(|frame| frame["type"] == "message_read");
    assert_eq!(receipts.map(|frame| frame["message_id"].clone()).collect::<Vec<_>>(), [ids[1], ids[2]]);
}

/// A set per user and emoji.
pub(crate) async fn reactions_are_a_set(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let message = say(&world, &at(id, "1"), 1, "text").await;
    let steps = [
        ("1", react(message, "👍", "add"), Some(1)),
        ("1", react(message, "👍", "add"), None),
        ("2", react(message, "👍", "add"), Some(2)),
        ("2", react(message, "❤", "add"), Some(1)),
        ("2", react(message, "❤\u{fe0f}", "add"), None),
        ("1", react(message, "🎉", "remove"), None),
        ("1", react(message, "👍", "remove"), Some(1)),
    ];
    let mut expected = Vec::new();
    for (number, (user, frame, count)) in steps.into_iter().enumerate() {
        done(&world, &at(id, user), number as u64 + 10, &frame).await;
        if let Some(count) = count {
            expected.push((frame["action"].clone(), json!(user.parse::<u64>().unwrap()), json!(count)));
        }
    }
    let frames = told(&world, id).await;
    let heard = frames.iter().filter(|frame| frame["type"] == "message_reaction");
    let heard = heard.map(|it| (it["action"].clone(), it["user"]["id"].clone(), it["count"].clone()));
    assert_eq!(heard.collect::<Vec<_>>(), expected);
    let listed = messages(&world, id, "2").await;
    assert_eq!(
        listed[0]["reactions"],
        json!([
            {"emoji": "👍", "count": 1, "user_ids": [2], "own": true},
            {"emoji": "❤\u{fe0f}", "count": 1, "user_ids": [2], "own": true},
        ])
    );
}

/// Only its author edits a message, and what it said is kept.
pub(crate) async fn only_the_author_edits(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let message = say(&world, &at(id, "1"), 1, "frist").await;
    let mut listener = world.listen(&channel(id)).await;
    assert_eq!(refused(&world, &at(id, "2"), 1, &edit(message, "mine")).await, "not_yours");
    assert_eq!(refused(&world, &at(id, "1"), 2, &edit(message, "")).await, "invalid_message");
    assert_eq!(refused(&world, &at(id, "1"), 3, &edit(message, "a\0b")).await, "invalid_message");
    done(&world, &at(id, "1"), 4, &edit(message, "frist")).await;
    done(&world, &at(id, "1"), 5, &edit(message, "first")).await;
    let frame = listener.json().await;
    assert_eq!((&frame["type"], &frame["message_id"]), (&json!("message_edited"), &json!(message)));
    assert_eq!(frame["message"]["content"], "first");
    assert!(frame["message"]["edited_at"].is_string());
    done(&world, &at(id, "1"), 6, &edit(message, "First!")).await;
    assert_eq!(listener.json().await["message"]["content"], "First!");
    assert_eq!(messages(&world, id, "2").await[0]["content"], "First!");
    assert_eq!(kept(&world, message).await, ["frist", "first"]);
    let found = |text: &'static str| {
        let search = carillon_testkit::service::Ask::new("chat.search").by(crate::talk::somebody("2"));
        let world = &world;
        async move { world.ask(&search.query("q", text)).await.ok()["messages"].as_array().unwrap().len() }
    };
    assert_eq!((found("first!").await, found("frist").await), (1, 0));
}

/// A tombstone stays, of which nothing can be seen.
pub(crate) async fn a_deleted_message_leaves_a_tombstone(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2", "4"]).await;
    let message = say(&world, &at(id, "1"), 1, "secret").await;
    let theirs = say(&world, &at(id, "2"), 1, "theirs").await;
    let answer = json!({"type": "chat_message", "message": "why?", "reply_to": message});
    done(&world, &at(id, "2"), 2, &answer).await;
    done(&world, &at(id, "2"), 3, &react(message, "👍", "add")).await;
    assert_eq!(refused(&world, &at(id, "2"), 4, &delete(message)).await, "not_yours");
    let mut listener = world.listen(&channel(id)).await;
    done(&world, &at(id, "1"), 2, &delete(message)).await;
    let frame = listener.json().await;
    assert_eq!((&frame["type"], &frame["message_id"]), (&json!("message_deleted"), &json!(message)));
    assert_eq!(frame["deleted_by"]["id"], 1);
    done(&world, &at(id, "1"), 3, &delete(message)).await;
    for (number, frame) in [edit(message, "back"), react(message, "👍", "add")].iter().enumerate() {
        assert_eq!(refused(&world, &at(id, "1"), number as u64 + 4, frame).await, "deleted_message");
    }
    let reply = json!({"type": "chat_message", "message": "x", "reply_to": message});
    assert_eq!(refused(&world, &at(id, "1"), 8, &reply).await, "unknown_message");
    // An admin who takes part deletes what is not its own.
    let admin = Identity { user: "4".to_owned(), ..admin() };
    let session = Session { identity: Some(admin), ..at(id, "4") };
    assert_eq!(refused(&world, &session, 1, &edit(theirs, "x")).await, "not_yours");
    done(&world, &session, 2, &delete(theirs)).await;
    let listed = messages(&world, id, "2").await;
    for tombstone in &listed[..2] {
        assert_eq!(
            (
                &tombstone["content"],
                &tombstone["deleted"],
                &tombstone["reactions"],
                &tombstone["attachments"]
            ),
            (&json!(""), &json!(true), &json!([]), &json!([]))
        );
    }
    assert_eq!(listed[2]["reply_to"], json!({"id": message, "deleted": true}));
    assert_eq!(kept(&world, message).await, ["secret"]);
}

/// A frame that the gateway repeats is applied once, whatever another tab did in between.
pub(crate) async fn a_repeated_frame_is_one_change(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let message = say(&world, &at(id, "1"), 1, "one").await;
    let (here, there) = (at(id, "1"), connection(id, "1", "another tab"));
    done(&world, &here, 2, &react(message, "👍", "add")).await;
    done(&world, &there, 1, &react(message, "👍", "remove")).await;
    done(&world, &here, 2, &react(message, "👍", "add")).await;
    done(&world, &here, 3, &edit(message, "two")).await;
    done(&world, &there, 2, &edit(message, "three")).await;
    done(&world, &here, 3, &edit(message, "two")).await;
    let listed = &messages(&world, id, "2").await[0];
    assert_eq!((&listed["content"], &listed["reactions"]), (&json!("three"), &json!([])));
    assert_eq!(told(&world, id).await.len(), 5);
}

/// Many changes at once, over two replicas: each is made, and told in one order.
pub(crate) async fn changes_at_once_lose_nothing(place: Place) {
    const USERS: usize = 20;
    let world = World::start_with(place, 2, Default::default()).await;
    let names: Vec<String> = (1..=USERS).map(|user| user.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (one, other) = (conversation(&world, &names).await, conversation(&world, &names).await);
    let mut sent = Vec::new();
    for id in [one, other] {
        for number in 1..=5 {
            sent.push((id, say(&world, &at(id, "1"), number, "text").await));
        }
    }
    let user = async |user: &str| {
        for (number, (id, message)) in sent.iter().enumerate() {
            let (session, number) = (at(*id, user), 100 + 10 * number as u64);
            done(&world, &session, number, &react(*message, "👍", "add")).await;
            done(&world, &session, number + 1, &read(*message)).await;
            done(&world, &session, number + 2, &react(*message, "🎉", "add")).await;
            done(&world, &session, number + 3, &react(*message, "🎉", "remove")).await;
        }
    };
    futures_util::future::join_all(names.iter().map(|name| user(name))).await;
    for id in [one, other] {
        let events = world.history(&channel(id)).await;
        let mut counts = std::collections::BTreeMap::new();
        for frame in events.iter().map(|event| json_of(event, "")) {
            let (Some(message), Some(emoji)) = (frame["message_id"].as_i64(), frame["emoji"].as_str()) else {
                continue;
            };
            let count: &mut i64 = counts.entry((message, emoji.to_owned())).or_default();
            *count += if frame["action"] == "add" { 1 } else { -1 };
            assert_eq!(frame["count"], *count, "{frame}");
        }
        for message in messages(&world, id, "1").await {
            assert_eq!(
                (&message["reactions"][0]["count"], message["reactions"].as_array().unwrap().len()),
                (&json!(USERS), 1)
            );
        }
        let shown = world.ask(&ask("show", id, "2")).await.ok();
        let last = sent.iter().filter(|(of, _)| *of == id).map(|(_, message)| *message).max();
        for participant in shown["participants"].as_array().unwrap() {
            assert_eq!(participant["read_up_to"].as_i64(), last);
        }
    }
}

/// What a message said before, which no client is shown.
async fn kept(world: &World, message: i64) -> Vec<String> {
    let mut connection = AnyConnection::connect(&world.place.url).await.unwrap();
    let schema = if world.place.url.starts_with("sqlite") { "" } else { "chat." };
    let sql = format!("SELECT body FROM {schema}message_edit WHERE message_id = $1 ORDER BY number");
    let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(message);
    query.fetch_all(&mut connection).await.unwrap()
}
