use std::collections::BTreeSet;

use carillon_contract::Channel;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use carillon_testkit::service::{Ask, Place, admin, json_of, user};

use crate::world::World;

fn send(body: &Value) -> Ask {
    Ask::new("notifications.send").by(admin()).body(body)
}

fn to(id: &str, title: usize) -> Value {
    json!({"title": title.to_string(), "message": "m", "user_id": id})
}

/// Sends at once, and returns the ids.
async fn send_at_once(world: &World, id: &str, count: usize) -> Vec<i64> {
    let asks: Vec<_> = (0..count).map(|number| send(&to(id, number))).collect();
    let answers = join_all(asks.iter().map(|ask| world.ask(ask))).await;
    answers.into_iter().map(|answer| answer.ok()["id"].as_i64().expect("an id")).collect()
}

/// The ids of a user's log, in its order, which must be without a gap.
async fn logged(world: &World, id: &str) -> Vec<i64> {
    let events = world.history(&Channel::user(id).expect("a channel")).await;
    let offsets: Vec<_> = events.iter().map(|event| event.offset).collect();
    assert_eq!(offsets, (1..=events.len() as u64).collect::<Vec<_>>());
    let notifications = events.iter().map(|event| json_of(event, "events")["notification"]["id"].as_i64());
    notifications.flatten().collect()
}

pub(crate) async fn a_hundred_at_once_get_a_hundred_ids(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(Channel::user("1").expect("a channel")).await;
    let mut ids = send_at_once(&world, "1", 100).await;
    ids.sort_unstable();
    let all: Vec<i64> = (1..=100).collect();
    assert_eq!(ids, all);
    assert_eq!(logged(&world, "1").await, all);
    let mut heard = BTreeSet::new();
    while heard.len() < 100 {
        heard.insert(live.next().await.offset);
    }
    assert_eq!(world.inbox("1").await["counts"], json!({"total": 100, "unread": 100}));
}

/// What is sent while an inbox is marked up to what was seen stays unread.
pub(crate) async fn a_new_arrival_races_read_all(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 10).await;
    let up_to = Ask::new("notifications.read-all").by(user("1")).body(&json!({"up_to": 10}));
    let (ids, marked) = join(send_at_once(&world, "1", 30), world.ask(&up_to)).await;
    assert_eq!(marked.ok()["marked"], 10);
    assert!(ids.iter().all(|id| *id > 10));
    let inbox = world.inbox("1").await;
    assert_eq!(inbox["counts"], json!({"total": 40, "unread": 30}));
    for item in inbox["items"].as_array().expect("items") {
        assert_eq!(item["is_read"], json!(item["id"].as_i64().expect("an id") <= 10));
    }
    // The marking is one of the versions, and no notification's.
    let ids: BTreeSet<_> = ids.into_iter().collect();
    assert_eq!(ids.len(), 30);
    assert_eq!(inbox["version"], 41);
}

/// Users of several requests meet in every order.
pub(crate) async fn overlapping_audiences_at_once(place: Place) {
    let world = World::start(place).await;
    audiences(&world).await;
}

pub(crate) async fn two_replicas_write_to_one_inbox(place: Place) {
    let world = World::start_with(place, 2, Default::default()).await;
    let mut ids = send_at_once(&world, "one", 200).await;
    ids.sort_unstable();
    assert_eq!(ids, (1..=200).collect::<Vec<_>>());
    assert_eq!(logged(&world, "one").await, ids);
    audiences(&world).await;
}

async fn audiences(world: &World) {
    const USERS: usize = 40;
    let audience = |first: usize| {
        let users: Vec<_> = (0..USERS).map(|step| format!("u{}", (first * 7 + step * 3) % USERS)).collect();
        send(&json!({"title": "t", "message": "m", "user_ids": users}))
    };
    let mut asks: Vec<_> = (0..10).map(audience).collect();
    asks.extend((0..10).map(|_| send(&json!({"title": "t", "message": "m"}))));
    let marks = (0..USERS).map(|id| Ask::new("notifications.read-all").by(user(&format!("u{id}"))));
    asks.extend(marks);
    for answer in join_all(asks.iter().map(|ask| world.ask(ask))).await {
        answer.ok();
    }
    for id in 0..USERS {
        let id = format!("u{id}");
        let inbox = world.inbox(&id).await;
        // Ten to each, ten to everyone.
        assert_eq!(inbox["counts"]["total"], 20);
        let items = inbox["items"].as_array().expect("items");
        let unread = items.iter().filter(|item| item["is_read"] == json!(false)).count();
        assert_eq!(inbox["counts"]["unread"], json!(unread));
        let ids = logged(world, &id).await;
        assert_eq!(ids.len(), 10);
        assert!(ids.is_sorted(), "{ids:?}");
    }
}
