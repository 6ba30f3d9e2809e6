use carillon_contract::Channel;
use serde_json::{Value, json};

use carillon_testkit::service::{Ask, Place, json_of, user};

use crate::world::World;

async fn broadcast(world: &World, count: usize) {
    for number in 1..=count {
        world.send(&json!({"title": number.to_string(), "message": "m", "extra": number})).await;
    }
}

fn ids(inbox: &Value) -> Vec<String> {
    let items = inbox["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].to_string().replace('"', "")).collect()
}

pub(crate) async fn a_broadcast_is_copied_when_the_inbox_is_read(place: Place) {
    let world = World::start(place).await;
    broadcast(&world, 2).await;
    let inbox = world.inbox("1").await;
    assert_eq!(ids(&inbox), ["everyone-2", "everyone-1"]);
    assert_eq!(inbox["counts"], json!({"total": 2, "unread": 2}));
    // The item is what the frame was.
    let events = world.history(&Channel::everyone()).await;
    assert_eq!(inbox["items"][0], json_of(&events[1], "events")["notification"]);
    // Reading again copies nothing again.
    assert_eq!(world.inbox("1").await, inbox);
    // Another user's inbox has its own copies; each is marked for itself.
    let all = Ask::new("notifications.read-all").by(user("1"));
    assert_eq!(world.ask(&all).await.ok()["marked"], 2);
    assert_eq!((world.unread("1").await, world.unread("2").await), (0, 2));
    broadcast(&world, 1).await;
    assert_eq!(world.unread("1").await, 1);
}

/// So `up_to` the newest that a client has seen leaves none behind that it saw before.
pub(crate) async fn a_broadcast_is_copied_before_what_comes_after_it(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 1).await;
    world.inbox("1").await;
    broadcast(&world, 1).await;
    world.send_many("1", 2).await;
    let inbox = world.inbox("1").await;
    assert_eq!(ids(&inbox), ["4", "3", "everyone-1", "1"]);
    assert_eq!(inbox["version"], 4);
    let up_to = |id: Value| Ask::new("notifications.read-all").by(user("1")).body(&json!({ "up_to": id }));
    assert_eq!(world.ask(&up_to(json!("everyone-1"))).await.ok()["marked"], 2);
    assert_eq!(world.ask(&up_to(json!(3))).await.ok()["marked"], 1);
    assert_eq!(world.unread("1").await, 1);
}

pub(crate) async fn a_broadcast_is_marked_and_removed_by_its_id(place: Place) {
    let world = World::start(place).await;
    broadcast(&world, 2).await;
    let mark = Ask::new("notifications.read").by(user("1")).parameter("notification_id", "everyone-2");
    assert_eq!(world.ask(&mark).await.ok()["counts"], json!({"total": 2, "unread": 1}));
    let remove = Ask::new("notifications.delete").by(user("1")).parameter("notification_id", "everyone-1");
    assert_eq!(world.ask(&remove).await.status, 204);
    let inbox = world.inbox("1").await;
    assert_eq!(ids(&inbox), ["everyone-2"]);
    assert_eq!(inbox["counts"], json!({"total": 1, "unread": 0}));
    // The sequence of the copy is no name of it.
    let by_number = Ask::new("notifications.read").by(user("1")).parameter("notification_id", 1);
    assert_eq!(world.ask(&by_number).await.status, 404);
}

pub(crate) async fn the_newest_hundred_are_copied(place: Place) {
    let world = World::start(place).await;
    broadcast(&world, 103).await;
    let inbox = world.inbox("1").await;
    assert_eq!(inbox["counts"]["total"], 100);
    assert_eq!(inbox["items"][99]["id"], "everyone-4");
    world.send_many("2", 1).await;
    assert_eq!(world.inbox("2").await["counts"]["total"], 101);
}

/// Whoever never looks at the inbox costs no copies; the first look finds them.
pub(crate) async fn an_unused_inbox_is_left_alone(place: Place) {
    let world = World::start(place).await;
    broadcast(&world, 2).await;
    world.send_many("1", 2).await;
    assert_eq!(ids(&world.inbox("1").await), ["everyone-2", "everyone-1", "2", "1"]);
    broadcast(&world, 1).await;
    let users = json!({"title": "t", "message": "m", "user_ids": [1, 2, 3]});
    world.send(&users).await;
    assert_eq!(ids(&world.inbox("1").await)[..2], ["6", "everyone-3"]);
    assert_eq!(ids(&world.inbox("2").await), ["everyone-3", "everyone-2", "everyone-1", "1"]);
}
