//! Chat rooms (S2-01 to S2-03, S2-05).

use carillon_contract::{Channel, messages::open_reply::Outcome};
use carillon_testkit::service::{Ask, Place, json_of, service, session, user};
use serde_json::{Value, json};

use crate::world::{World, accepted, person};

fn room(name: &str) -> Channel {
    Channel::new("room", &[name]).expect("a channel")
}

fn said(message: &str) -> Value {
    json!({"type": "chat_message", "message": message})
}

/// S2-01: no greeting, which document 2's client doesn't expect.
pub(crate) async fn a_room_comes_into_being_when_someone_enters(place: Place) {
    let world = World::start(place).await;
    let accept = accepted(world.open("chat", Some(user("1")), &[("room_name", "general")]).await);
    assert!(accept.greeting.is_empty());
    assert_eq!(accept.channels[0].channel, "room.general");
    // Others can speak to it from its coming on, of which it need not be told itself.
    let [came] = &world.history(&room("general")).await[..] else { panic!("no coming") };
    assert_eq!((accept.channels[0].offset, came.offset), (0, 1));
    assert!(!came.except_connection.is_empty());
}

/// S2-01: whoever listens hears it, its sender too; a frame's username counts only without a token.
pub(crate) async fn a_message_is_heard_with_its_sender_s_name(place: Place) {
    let world = World::start(place).await;
    let mut listener = world.listen(&room("general")).await;
    let anonymous = session("chat", "", None, &[("room_name", "general")]);
    let frame = json!({"type": "chat_message", "message": "Hello everyone!", "username": "john_doe"});
    assert!(world.frame(&anonymous, 1, &frame).await.is_empty());
    let heard = listener.next().await;
    let json = json_of(&heard, "");
    assert_eq!(json["message"], "Hello everyone!");
    assert_eq!((&json["username"], &json["anonymous"]), (&json!("john_doe"), &json!(true)));
    assert!(json["timestamp"].as_str().is_some_and(|time| time.starts_with("20")));
    assert_eq!((heard.except_connection.as_str(), heard.offset), ("", 1));

    world.frame(&anonymous, 2, &said("me again")).await;
    assert_eq!(listener.json().await["username"], "Anonymous");
    let alice = session("chat", "", Some(person("1", "alice")), &[("room_name", "general")]);
    world.frame(&alice, 1, &frame).await;
    let json = listener.json().await;
    assert_eq!((&json["username"], &json["user_id"]), (&json!("alice"), &json!(1)));
    assert_eq!(json.get("anonymous"), None);
}

/// S2-03
pub(crate) async fn what_is_no_message_is_answered_as_in_the_document(place: Place) {
    let world = World::start(place).await;
    let visitor = session("chat", "", None, &[("room_name", "general")]);
    for (number, (payload, message)) in [
        ("{".to_owned(), "Invalid JSON format"),
        ("{}".to_owned(), "Invalid message format"),
        (said("").to_string(), "Invalid message (max 1000 characters)"),
        (said(&"x".repeat(1_001)).to_string(), "Invalid message (max 1000 characters)"),
        (said("a\0b").to_string(), "Invalid message (max 1000 characters)"),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = world.frame_bytes(&visitor, number as u64 + 1, payload.into_bytes()).await;
        let frame: Value = serde_json::from_slice(&reply.frames[0]).unwrap();
        assert_eq!((&frame["type"], &frame["message"]), (&json!("error"), &json!(message)));
        assert_eq!(reply.close, None);
    }
    assert!(world.history(&room("general")).await.is_empty());
}

/// A frame that the gateway repeats, and a message that its client sends again, are one message.
pub(crate) async fn a_repeated_message_is_one_message(place: Place) {
    let world = World::start(place).await;
    let visitor = session("chat", "", Some(user("1")), &[("room_name", "general")]);
    let frame = json!({"type": "chat_message", "message": "once", "client_id": "c-1"});
    let [first] = &world.frame(&visitor, 1, &frame).await[..] else { panic!("no ack") };
    assert_eq!((&first["type"], &first["client_id"]), (&json!("message_ack"), &json!("c-1")));
    let again = carillon_contract::messages::Session { connection: "another".into(), ..visitor.clone() };
    for (session, number) in [(&visitor, 1), (&visitor, 2), (&again, 1)] {
        assert_eq!(world.frame(session, number, &frame).await, std::slice::from_ref(first));
    }
    for _ in 0..2 {
        world.frame(&visitor, 9, &said("plain")).await;
    }
    let other = session("chat", "", Some(user("2")), &[("room_name", "general")]);
    let theirs = world.frame(&other, 1, &frame).await;
    assert_ne!(theirs[0]["message_id"], first["message_id"]);
    let events = world.history(&room("general")).await;
    let texts: Vec<_> = events.iter().map(|event| json_of(event, "")["message"].clone()).collect();
    assert_eq!(texts, ["once", "plain", "once"]);
}

/// `?history=`, and the same over HTTP.
pub(crate) async fn messages_are_read_again_page_by_page(place: Place) {
    let world = World::start(place).await;
    let visitor = session("chat", "", Some(user("1")), &[("room_name", "general")]);
    for number in 1..=5 {
        world.frame(&visitor, number, &said(&number.to_string())).await;
    }
    let accept = accepted(world.open_session(&visitor, &[("history", "3")]).await);
    let greeting: Vec<Value> =
        accept.greeting.iter().map(|frame| serde_json::from_slice(frame).unwrap()).collect();
    assert_eq!(greeting[0], json!({"type": "history", "count": 3, "has_more": true}));
    let texts = |messages: &[Value]| {
        messages.iter().map(|message| message["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(texts(&greeting[1..]), ["3", "4", "5"]);
    let list = || Ask::new("chat.rooms.messages.list").by(user("1")).parameter("room_name", "general");
    let page = world.ask(&list().query("limit", 2)).await.ok();
    assert_eq!(
        (texts(page["messages"].as_array().unwrap()), &page["has_more"]),
        (vec!["4".into(), "5".into()], &json!(true))
    );
    let before = page["messages"][0]["id"].clone();
    let page = world.ask(&list().query("before", before)).await.ok();
    assert_eq!(
        (texts(page["messages"].as_array().unwrap()), &page["has_more"]),
        (vec!["1".into(), "2".into(), "3".into()], &json!(false))
    );
    let after = page["messages"][1]["id"].clone();
    let page = world.ask(&list().query("after", after).query("limit", 1)).await.ok();
    assert_eq!(
        (texts(page["messages"].as_array().unwrap()), &page["has_more"]),
        (vec!["3".into()], &json!(true))
    );
    for (name, value) in [("limit", "0"), ("limit", "201"), ("before", "x"), ("limit", "-1")] {
        assert_eq!(world.ask(&list().query(name, value)).await.status, 422, "{name}={value}");
    }
}

/// S2-05
pub(crate) async fn a_back_end_says_something(place: Place) {
    let world = World::start(place).await;
    let mut listener = world.listen(&room("general")).await;
    let send = || {
        let ask = Ask::new("chat.rooms.messages.send").by(service("t", "chat:send"));
        ask.parameter("room_name", "general")
    };
    let first = world.ask(&send().key("k").body(&json!({"message": "Deployed"}))).await;
    assert_eq!(first.status, 201);
    let json = listener.json().await;
    assert_eq!((&json["message"], &json["username"]), (&json!("Deployed"), &json!("System")));
    let again = world.ask(&send().key("k").body(&json!({"message": "Deployed"}))).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    world.ask(&send().body(&json!({"message": "m", "username": "CI"}))).await;
    assert_eq!(listener.json().await["username"], "CI");
    for (body, field) in [
        (json!({}), "message"),
        (json!({"message": ""}), "message"),
        (json!({"message": "x".repeat(1_001)}), "message"),
        (json!({"message": "x", "username": "n".repeat(101)}), "username"),
    ] {
        let refused = world.ask(&send().body(&body)).await;
        assert_eq!((refused.status, &refused.body["field"]), (422, &json!(field)));
    }
    let digits =
        Ask::new("chat.rooms.messages.send").by(service("t", "chat:send")).parameter("room_name", "12");
    assert_eq!(world.ask(&digits.body(&json!({"message": "m"}))).await.status, 404);
}

/// Whatever a name holds, it is a room of its own.
pub(crate) async fn names_never_reach_another_room(place: Place) {
    let world = World::start(place).await;
    let long = "é".repeat(100);
    let names = [
        "../general",
        "general.",
        "general",
        "*",
        ">",
        "general.>",
        "😀 two words",
        "a=2E",
        "a.",
        "Général",
        &long,
    ];
    for (number, name) in names.iter().enumerate() {
        let visitor = session("chat", "", None, &[("room_name", name)]);
        world.frame(&visitor, number as u64 + 1, &said(name)).await;
    }
    for name in names {
        let events = world.history(&room(name)).await;
        let texts: Vec<_> = events.iter().map(|event| json_of(event, "")["message"].clone()).collect();
        assert_eq!(texts, [name]);
        let list = Ask::new("chat.rooms.messages.list").by(user("1")).parameter("room_name", name);
        assert_eq!(world.ask(&list).await.ok()["messages"].as_array().unwrap().len(), 1);
    }
    let name = "é".repeat(101);
    let Outcome::Reject(close) = world.open("chat", None, &[("room_name", &name)]).await else {
        panic!("accepted")
    };
    assert_eq!((close.code, close.reason.as_str()), (4004, "a name has at most 100 characters"));
}

/// Many at once, over two replicas: ids, offsets and the stored history have one order, and nobody
/// is lost or doubled.
pub(crate) async fn many_at_once_have_one_order(place: Place) {
    const SENDERS: usize = 20;
    const EACH: usize = 25;
    let world = World::start_with(place, 2, Default::default()).await;
    let sender = async |sender: usize| {
        let visitor = session("chat", "", Some(user(&sender.to_string())), &[("room_name", "busy")]);
        for number in 1..=EACH {
            let text = format!("{sender}:{number}");
            let frame = json!({"type": "chat_message", "message": text, "client_id": number});
            let ack = world.frame(&visitor, number as u64, &frame).await;
            assert_eq!(ack[0]["type"], "message_ack", "{ack:?}");
        }
    };
    futures_util::future::join_all((0..SENDERS).map(sender)).await;
    let events = world.history(&room("busy")).await;
    let told: Vec<Value> = events.iter().map(|event| json_of(event, "")).collect();
    assert_eq!(told.len(), SENDERS * EACH);
    let ids: Vec<i64> = told.iter().map(|frame| frame["id"].as_i64().unwrap()).collect();
    assert!(ids.is_sorted_by(|one, next| one < next));
    let mut stored = Vec::new();
    let mut after = json!(0);
    loop {
        let list = Ask::new("chat.rooms.messages.list").by(user("1")).parameter("room_name", "busy");
        let page = world.ask(&list.query("after", &after).query("limit", 200)).await.ok();
        stored.extend(page["messages"].as_array().unwrap().clone());
        after = stored.last().unwrap()["id"].clone();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(stored, told);
}
