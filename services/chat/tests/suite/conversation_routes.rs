//! Conversations over HTTP: creating, listing, messages, search.

use carillon_testkit::service::{Answer, Ask, Place, service};
use serde_json::{Value, json};

use crate::{
    talk::{ask, at, channel, conversation, messages, say, somebody, told},
    world::World,
};

fn create(user: &str, body: &Value) -> Ask {
    Ask::new("chat.conversations.create").by(somebody(user)).body(body)
}

fn ids(answer: &Value, list: &str) -> Vec<Value> {
    answer[list].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
}

fn field(answer: &Answer) -> (u32, &str) {
    (answer.status, answer.body["field"].as_str().unwrap_or_default())
}

/// The creator takes part; participants who are named twice are one; a retry is the same conversation.
pub(crate) async fn a_conversation_is_created_once(place: Place) {
    let world = World::start(place).await;
    let body = json!({"participants": [2, "2", 1, "x-9"], "name": " Lunch "});
    let first = world.ask(&create("1", &body).key("k")).await;
    assert_eq!(first.status, 201);
    assert_eq!((&first.body["name"], &first.body["created_by"]), (&json!("Lunch"), &json!(1)));
    assert_eq!(ids(&first.body, "participants"), [json!(1), json!(2), json!("x-9")]);
    assert_eq!((&first.body["unread_count"], &first.body["last_message"]), (&json!(0), &Value::Null));
    let again = world.ask(&create("1", &body).key("k")).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    let repeated = create("1", &body);
    let (one, other) = (world.ask(&repeated).await, world.ask(&repeated).await);
    assert_eq!(one.body["id"], other.body["id"]);
    assert_ne!(one.body["id"], first.body["id"]);
    // The same key is another one of somebody else.
    assert_ne!(
        world.ask(&create("2", &json!({"participants": [1]})).key("k")).await.body["id"],
        first.body["id"]
    );

    let many: Vec<u64> = (2..=1_000).collect();
    assert_eq!(world.ask(&create("1", &json!({"participants": many}))).await.status, 201);
    let too_many: Vec<u64> = (2..=1_001).collect();
    for (body, wrong) in [
        (json!({}), "participants"),
        (json!({"participants": []}), "participants"),
        (json!({"participants": [1, "1"]}), "participants"),
        (json!({"participants": too_many}), "participants"),
        (json!({"participants": [1.5]}), "participants[0]"),
        (json!({"participants": ["a\0"]}), "participants[0]"),
        (json!({"participants": [2], "name": "n".repeat(101)}), "name"),
        (json!({"participants": [2], "name": "a\nb"}), "name"),
        (json!({"participants": [2], "name": 7}), "name"),
    ] {
        assert_eq!(field(&world.ask(&create("1", &body)).await), (422, wrong), "{wrong}");
    }
    let back_end = Ask::new("chat.conversations.create").by(service("t", "chat:send"));
    assert_eq!(world.ask(&back_end.body(&json!({"participants": [1, 2]}))).await.status, 403);
}

/// Many who create at once, over whatever replica.
pub(crate) async fn a_retry_at_the_same_time_is_the_same_conversation(place: Place) {
    let world = World::start(place).await;
    let body = json!({"participants": [2]});
    let asks: Vec<Ask> = (0..10).map(|_| create("1", &body).key("k")).collect();
    let created = futures_util::future::join_all(asks.iter().map(|ask| world.ask(ask))).await;
    assert!(created.iter().all(|one| one.status == 201 && one.body["id"] == created[0].body["id"]));
    let list = Ask::new("chat.conversations.list").by(somebody("2"));
    assert_eq!(ids(&world.ask(&list).await.ok(), "conversations").len(), 1);
}

/// By last activity, a page at a time, with what is unread and was said last.
pub(crate) async fn conversations_are_listed_by_activity(place: Place) {
    let world = World::start(place).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(conversation(&world, &["1", "2"]).await);
    }
    conversation(&world, &["2", "3"]).await;
    say(&world, &at(all[1], "2"), 1, "older").await;
    let last = say(&world, &at(all[3], "2"), 1, "newer").await;
    let expected: Vec<Value> = [3, 1, 4, 2, 0].iter().map(|index| json!(all[*index])).collect();
    let list = || Ask::new("chat.conversations.list").by(somebody("1"));
    let page = world.ask(&list()).await.ok();
    assert_eq!((ids(&page, "conversations"), &page["next"]), (expected.clone(), &Value::Null));
    let first = &page["conversations"][0];
    assert_eq!((&first["unread_count"], &first["last_message"]["id"]), (&json!(1), &json!(last)));
    assert_eq!(first["last_message"]["content"], "newer");
    assert_eq!(
        (ids(first, "participants"), &first["participant_count"]),
        (vec![json!(1), json!(2)], &json!(2))
    );
    assert_eq!(*first, world.ask(&ask("show", all[3], "1")).await.ok());

    let mut listed = Vec::new();
    let mut after = json!("");
    while !after.is_null() {
        let asked = list().query("limit", 2).query("after", after.as_str().unwrap());
        let page = world.ask(&asked).await.ok();
        listed.extend(ids(&page, "conversations"));
        after = page["next"].clone();
    }
    assert_eq!(listed, expected);
    for (name, value) in [("limit", "0"), ("limit", "101"), ("limit", "x"), ("after", "x"), ("after", "1.x")]
    {
        assert_eq!(field(&world.ask(&list().query(name, value)).await), (422, name));
    }
}

/// Messages before or after an id, with what is answered and how users reacted.
pub(crate) async fn messages_are_read_page_by_page(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let mut sent = Vec::new();
    for number in 1..=5 {
        sent.push(say(&world, &at(id, "1"), number, &number.to_string()).await);
    }
    let react = json!({"type": "message_reaction", "message_id": sent[4], "emoji": "👍", "action": "add"});
    world.frame(&at(id, "2"), 1, &react).await;
    let list = |user: &str| ask("messages.list", id, user);
    let page = world.ask(&list("1").query("limit", 2)).await.ok();
    assert_eq!(
        (ids(&page, "messages"), &page["has_more"]),
        (vec![json!(sent[3]), json!(sent[4])], &json!(true))
    );
    let reaction = json!([{"emoji": "👍", "count": 1, "user_ids": [2], "own": false}]);
    assert_eq!(page["messages"][1]["reactions"], reaction);
    let page = world.ask(&list("2").query("before", sent[1])).await.ok();
    assert_eq!((ids(&page, "messages"), &page["has_more"]), (vec![json!(sent[0])], &json!(false)));
    let page = world.ask(&list("2").query("after", sent[1]).query("limit", 2)).await.ok();
    assert_eq!(
        (ids(&page, "messages"), &page["has_more"]),
        (vec![json!(sent[2]), json!(sent[3])], &json!(true))
    );
    // Pages of long messages end earlier.
    for number in 10..=60 {
        say(&world, &at(id, "1"), number, &"é".repeat(10_000)).await;
    }
    let page = world.ask(&list("1").query("limit", 200)).await.ok();
    assert_eq!((page["messages"].as_array().unwrap().len(), &page["has_more"]), (20, &json!(true)));
    assert_eq!(world.ask(&list("1").query("limit", 0)).await.status, 422);
}

/// For those who take part, and nobody else can tell whether there is such a conversation.
pub(crate) async fn what_is_not_mine_is_not_found(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let absent = world.ask(&ask("show", id + 1, "3")).await;
    assert_eq!(absent.status, 404);
    for route in ["show", "rename", "leave", "participants.add", "participants.remove", "messages.list"] {
        let body = json!({"name": "mine"});
        let asked = ask(route, id, "3").parameter("user_id", "3").body(&body);
        let refused = world.ask(&asked).await;
        assert_eq!((refused.status, &refused.body["detail"]), (404, &absent.body["detail"]), "{route}");
        for name in ["007", "x", "0", "-1", "99999999999999999999"] {
            let asked = asked.clone().parameter("conversation_id", name);
            assert_eq!(world.ask(&asked).await.status, 404, "{route} {name}");
        }
    }
    let list = Ask::new("chat.conversations.list").by(somebody("3"));
    assert_eq!(world.ask(&list).await.ok()["conversations"], json!([]));
    assert!(told(&world, id).await.is_empty());
}

/// In my conversations, however it is capitalised, newest first.
pub(crate) async fn a_search_finds_what_is_mine(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    let other = conversation(&world, &["1", "3"]).await;
    let theirs = conversation(&world, &["2", "3"]).await;
    let mut number = 0;
    let mut sent = Vec::new();
    for (of, text) in [
        (id, "Der GRÖSSTE Hit"),
        (other, "größte"),
        (id, "100% sure_"),
        (theirs, "größte"),
        (id, "100 percent"),
    ] {
        number += 1;
        let user = if of == theirs { "3" } else { "1" };
        sent.push(say(&world, &at(of, user), number, text).await);
    }
    let found = async |text: &str, user: &str| {
        let answer = world.ask(&Ask::new("chat.search").by(somebody(user)).query("q", text)).await.ok();
        ids(&answer, "messages")
    };
    assert_eq!(found("grö", "1").await, [json!(sent[1]), json!(sent[0])]);
    assert_eq!(found("grö", "3").await, [json!(sent[3]), json!(sent[1])]);
    assert_eq!(found("0%", "1").await, [json!(sent[2])]);
    assert_eq!(found("e_", "1").await, [json!(sent[2])]);
    assert!(found("\\", "1").await.is_empty());
    let search = || Ask::new("chat.search").by(somebody("1"));
    let page = world.ask(&search().query("q", "100").query("limit", 1)).await.ok();
    assert_eq!((ids(&page, "messages"), &page["has_more"]), (vec![json!(sent[4])], &json!(true)));
    assert_eq!(page["messages"][0]["conversation_id"], id);
    let page = world.ask(&search().query("q", "100").query("before", sent[4])).await.ok();
    assert_eq!((ids(&page, "messages"), &page["has_more"]), (vec![json!(sent[2])], &json!(false)));
    for text in ["", "  ", "a\0b", &"x".repeat(201)] {
        assert_eq!(field(&world.ask(&search().query("q", text)).await), (422, "q"));
    }
}

/// S2-05: in a participant's name, or in its own.
pub(crate) async fn a_back_end_sends(place: Place) {
    let world = World::start(place).await;
    let id = conversation(&world, &["1", "2"]).await;
    world.open_session(&at(id, "1"), &[]).await;
    let mut listener = world.listen(&channel(id)).await;
    let send = |body: &Value| {
        let ask = Ask::new("chat.conversations.messages.send").by(service("t", "chat:send"));
        ask.parameter("conversation_id", id).body(body)
    };
    let body = json!({"message": "Shipped", "user_id": 1, "message_type": "order"});
    let first = world.ask(&send(&body).key("k")).await;
    assert_eq!(first.status, 201);
    let message = listener.json().await["message"].clone();
    assert_eq!((&message["id"], &message["sender"]["first_name"]), (&first.body["id"], &json!("John")));
    assert_eq!(message["message_type"], "order");
    let again = world.ask(&send(&body).key("k")).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    for (body, name) in [
        (json!({"message": "m", "reply_to": first.body["id"]}), "System"),
        (json!({"message": "m", "username": "Shop"}), "Shop"),
    ] {
        assert_eq!(world.ask(&send(&body)).await.status, 201);
        assert_eq!(messages(&world, id, "2").await.last().unwrap()["sender"]["username"], name);
    }
    for (body, wrong) in [
        (json!({}), "message"),
        (json!({"message": ""}), "message"),
        (json!({"message": "x".repeat(10_001)}), "message"),
        (json!({"message": "x", "user_id": 3}), "user_id"),
        (json!({"message": "x", "user_id": 1, "username": "both"}), "username"),
        (json!({"message": "x", "username": "n".repeat(101)}), "username"),
        (json!({"message": "x", "message_type": "a b"}), "message_type"),
        (json!({"message": "x", "reply_to": 4711}), "reply_to"),
    ] {
        assert_eq!(field(&world.ask(&send(&body)).await), (422, wrong), "{body}");
    }
    let nowhere = send(&json!({"message": "x"})).parameter("conversation_id", id + 1);
    assert_eq!(world.ask(&nowhere).await.status, 404);
    assert_eq!(messages(&world, id, "1").await.len(), 3);
}
