//! Notifications that other services owe (`rpc.notification.notify`).

use carillon_contract::{
    Channel,
    messages::{Notice, NotifyReply, NotifyRequest},
};
use carillon_notification::RetentionArgs;
use carillon_testkit::service::{Place, json_of};
use serde_json::{Value, json};

use crate::world::World;

fn channel(user: &str) -> Channel {
    Channel::user(user).expect("a channel")
}

fn notice(cause: &str, users: &[&str]) -> Notice {
    Notice {
        users: users.iter().map(|user| (*user).to_owned()).collect(),
        title: "New Message".to_owned(),
        message: "You have a new message from John Doe".to_owned(),
        notification_type: "message".to_owned(),
        data: r#"{"conversation_id": 5, "big": 123456789012345678901234567890}"#.into(),
        cause: cause.to_owned(),
        ..Notice::default()
    }
}

fn request(notices: &[Notice]) -> NotifyRequest {
    NotifyRequest { notices: notices.to_vec() }
}

async fn unread(world: &World, users: &[&str]) -> Vec<i64> {
    let mut unread = Vec::new();
    for user in users {
        unread.push(world.unread(user).await);
    }
    unread
}

/// It is stored and published when it is acknowledged; the same again adds nothing.
pub(crate) async fn a_notice_reaches_each_of_its_users_once(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(channel("1")).await;
    let first = request(&[notice("message:1", &["1", "2"])]);
    for _ in 0..2 {
        assert_eq!(world.call(&first).await.expect("acknowledged"), NotifyReply {});
    }
    assert_eq!(live.json().await["title"], "New Message");
    assert_eq!(unread(&world, &["1", "2", "3"]).await, [1, 1, 0]);
    // A later attempt knows of one more who is away: only that one is new.
    world.call(&request(&[notice("message:1", &["1", "2", "3"])])).await.expect("acknowledged");
    assert_eq!(unread(&world, &["1", "2", "3"]).await, [1, 1, 1]);
    world.call(&request(&[notice("message:2", &["1"])])).await.expect("acknowledged");
    assert_eq!(live.json().await["title"], "New Message");
    assert_eq!(world.history(&channel("1")).await.len(), 2);
}

/// S4-05: every field where `POST /api/notifications/send/` puts it, numbers as they were written.
pub(crate) async fn notices_arrive_like_sent_notifications(place: Place) {
    let world = World::start(place).await;
    let urgent = Notice { priority: "high".to_owned(), ..notice("message:1", &["1"]) };
    world.call(&request(&[urgent])).await.expect("acknowledged");
    let data = json!({"conversation_id": 5});
    let sent = json!({
        "user_id": 1, "title": "New Message", "message": "You have a new message from John Doe",
        "notification_type": "message", "priority": "high", "data": data,
    });
    world.send(&sent).await;
    let events = world.history(&channel("1")).await;
    let text = String::from_utf8(events[0].variants[0].json.to_vec()).expect("text");
    assert!(text.contains("123456789012345678901234567890"), "{text}");
    for dialect in ["", "ticketing"] {
        let [owed, sent] = [0, 1].map(|index| {
            let mut frame = json_of(&events[index], dialect);
            for object in ["notification", "data"] {
                if let Some(object) = frame.get_mut(object).and_then(Value::as_object_mut) {
                    ["id", "notification_id", "timestamp"].iter().for_each(|name| drop(object.remove(*name)));
                    object["data"].as_object_mut().expect("data").remove("big");
                }
            }
            frame.as_object_mut().expect("an object").remove("timestamp");
            frame
        });
        assert_eq!(owed, sent);
    }
    let inbox = world.inbox("1").await;
    assert_eq!(inbox["items"][1]["data"]["conversation_id"], 5);
}

/// S3-01: what a ticket's notification has beside the usual arrives where document 3 has it.
pub(crate) async fn members_arrive_as_document_3_has_them(place: Place) {
    let world = World::start(place).await;
    let members = json!({
        "id": "ticket_123_assigned", "ticket_id": 123, "ticket_key": "PROJ-456", "project_id": 1,
        "actor": {"id": 1, "username": "john"},
    });
    let assigned = Notice {
        title: "Ticket Assigned".to_owned(),
        message: "You were assigned to PROJ-456: Fix login bug".to_owned(),
        notification_type: "ticket_assigned".to_owned(),
        members: members.to_string().into(),
        ..notice("project:1:update", &["1"])
    };
    world.call(&request(std::slice::from_ref(&assigned))).await.expect("acknowledged");
    let events = world.history(&channel("1")).await;
    let frame = json_of(&events[0], "ticketing");
    let data = &frame["data"];
    assert_eq!(frame["type"], "notification_message");
    for (name, value) in members.as_object().expect("members") {
        assert_eq!(&data[name], value, "{name}");
    }
    assert_eq!(
        (&data["title"], &data["message"], &data["notification_type"]),
        (&json!(assigned.title), &json!(assigned.message), &json!(assigned.notification_type))
    );
    assert!(data["timestamp"].is_string() && data["notification_id"].is_number());
    let superset = json_of(&events[0], "");
    assert_eq!(superset["notification"]["external_id"], "ticket_123_assigned");
    assert_eq!(superset["notification"]["ticket_key"], "PROJ-456");
    let item = world.inbox("1").await["items"][0].clone();
    assert_eq!((&item["ticket_id"], &item["external_id"]), (&json!(123), &json!("ticket_123_assigned")));
    assert_eq!(item["actor"]["username"], "john");
}

/// The notice's own fields win over members of their names; numbers stay as they were written.
pub(crate) async fn members_take_nothing_s_place(place: Place) {
    let world = World::start(place).await;
    let own = Notice {
        priority: "high".to_owned(),
        members: r#"{"title":"no","message":"no","notification_type":"no","priority":"low","data":{"no":1},
            "is_read":true,"notification_id":7,"user_id":7,"big":123456789012345678901234567890}"#
            .into(),
        ..notice("one", &["1"])
    };
    // What the notice leaves out its members may say.
    let theirs = Notice {
        priority: String::new(),
        notification_type: String::new(),
        data: Default::default(),
        members: r#"{"notification_type":"x","priority":"low","data":{"a":1},"timestamp":5}"#.into(),
        ..notice("two", &["1"])
    };
    world.call(&request(&[own])).await.expect("acknowledged");
    world.call(&request(&[theirs])).await.expect("acknowledged");
    let events = world.history(&channel("1")).await;
    let data = json_of(&events[0], "ticketing")["data"].clone();
    assert_eq!((&data["title"], &data["priority"]), (&json!("New Message"), &json!("high")));
    assert_eq!(
        (&data["notification_type"], &data["data"]["conversation_id"]),
        (&json!("message"), &json!(5))
    );
    assert_eq!((data.get("user_id"), data["data"].get("no")), (None, None));
    assert_ne!(data["notification_id"], 7);
    let text = String::from_utf8(events[0].variants[1].json.to_vec()).expect("text");
    assert!(text.contains(r#""big":123456789012345678901234567890"#), "{text}");
    let data = json_of(&events[1], "ticketing")["data"].clone();
    assert_eq!((&data["notification_type"], &data["priority"]), (&json!("x"), &json!("low")));
    assert_eq!((&data["data"], &data["timestamp"]), (&json!({"a": 1}), &json!(5)));
    assert_eq!(world.inbox("1").await["counts"], json!({"total": 2, "unread": 2}));
}

/// Its sender is told, and goes on owing it; the others are delivered all the same.
pub(crate) async fn one_that_is_malformed_keeps_no_other_back(place: Place) {
    let world = World::start(place).await;
    for (number, bad) in [
        Notice { cause: String::new(), ..notice("", &["1"]) },
        notice("bad", &[""]),
        Notice { title: String::new(), ..notice("bad", &["1"]) },
        Notice { priority: "urgent".to_owned(), ..notice("bad", &["1"]) },
        Notice { data: "[]".into(), ..notice("bad", &["1"]) },
        Notice { data: r#"{},"user_id":7"#.into(), ..notice("bad", &["1"]) },
        Notice { data: "{".into(), ..notice("bad", &["1"]) },
        Notice { members: "[]".into(), ..notice("bad", &["1"]) },
        Notice { members: "{".into(), ..notice("bad", &["1"]) },
        Notice { members: r#"{},"title":"x""#.into(), ..notice("bad", &["1"]) },
        Notice { members: r#"{"id":""}"#.into(), ..notice("bad", &["1"]) },
        Notice { members: r#"{"timestamp":{}}"#.into(), ..notice("bad", &["1"]) },
    ]
    .into_iter()
    .enumerate()
    {
        let good = notice(&format!("good:{number}"), &["2"]);
        assert!(world.call(&request(&[bad.clone(), good])).await.is_err(), "{bad:?}");
        assert_eq!(world.unread("2").await, number as i64 + 1);
    }
    assert_eq!(world.unread("1").await, 0);
    world.call(&request(&[])).await.expect("acknowledged");
}

/// Notices of one request share transactions, and the same ones meanwhile add nothing.
pub(crate) async fn a_hundred_notices_twice_at_once_are_delivered_once(place: Place) {
    let world = World::start(place).await;
    deliver_at_once(&world).await;
}

pub(crate) async fn two_replicas_deliver_a_notice_once(place: Place) {
    let world = World::start_with(place, 2, RetentionArgs::default()).await;
    deliver_at_once(&world).await;
}

async fn deliver_at_once(world: &World) {
    let users: Vec<String> = (1..=5).map(|user| user.to_string()).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let notices: Vec<_> = (0..100).map(|number| notice(&format!("message:{number}"), &users)).collect();
    let request = request(&notices);
    let (first, second) = tokio::join!(world.call(&request), world.call(&request));
    first.and(second).expect("acknowledged");
    assert_eq!(unread(world, &users).await, [100; 5]);
    for user in users {
        assert_eq!(world.history(&channel(user)).await.len(), 100);
    }
}
