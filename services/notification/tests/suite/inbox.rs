use carillon_contract::Channel;
use serde_json::{Value, json};

use carillon_testkit::service::{Ask, Place, service, user};

use crate::world::World;

fn list() -> Ask {
    Ask::new("notifications.list").by(user("1"))
}

fn mark(id: impl ToString) -> Ask {
    Ask::new("notifications.read").by(user("1")).parameter("notification_id", id)
}

fn read_all(body: &Value) -> Ask {
    Ask::new("notifications.read-all").by(user("1")).body(body)
}

fn delete(id: impl ToString) -> Ask {
    Ask::new("notifications.delete").by(user("1")).parameter("notification_id", id)
}

fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().expect("items").iter().map(|item| item["id"].as_i64().expect("an id")).collect()
}

pub(crate) async fn an_inbox_is_read_page_by_page(place: Place) {
    let world = World::start(place).await;
    let empty = world.ask(&list()).await.ok();
    assert_eq!(empty, json!({"items": [], "next": null, "counts": {"total": 0, "unread": 0}, "version": 0}));
    world.send_many("1", 25).await;
    let first = world.ask(&list()).await.ok();
    assert_eq!(ids(&first), (6..=25).rev().collect::<Vec<_>>());
    assert_eq!(first["counts"], json!({"total": 25, "unread": 25}));
    assert_eq!(first["version"], 25);
    let second = world.ask(&list().query("before", &first["next"])).await.ok();
    assert_eq!(ids(&second), [5, 4, 3, 2, 1]);
    assert_eq!(second["next"], Value::Null);
    // Exactly full is not a reason for another page.
    assert_eq!(world.ask(&list().query("limit", 25)).await.ok()["next"], Value::Null);
    assert_eq!(ids(&world.ask(&list().query("limit", 1)).await.ok()), [25]);
    for (name, value) in [("limit", "0"), ("limit", "101"), ("limit", "x"), ("before", "x"), ("status", "x")]
    {
        let answer = world.ask(&list().query(name, value)).await;
        assert_eq!((answer.status, &answer.body["field"]), (422, &json!(name)), "{value}");
    }
    assert!(
        world.ask(&Ask::new("notifications.list").by(user("2"))).await.ok()["items"]
            .as_array()
            .expect("items")
            .is_empty()
    );
}

pub(crate) async fn a_status_chooses(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 4).await;
    world.ask(&mark(2)).await.ok();
    let chosen = async |status: &str| ids(&world.ask(&list().query("status", status)).await.ok());
    assert_eq!(chosen("unread").await, [4, 3, 1]);
    assert_eq!(chosen("read").await, [2]);
    assert_eq!(chosen("all").await, [4, 3, 2, 1]);
    let counts = world.ask(&list().query("status", "read")).await.ok();
    assert_eq!(counts["counts"], json!({"total": 4, "unread": 3}));
}

pub(crate) async fn reading_removes_from_the_unread(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 2).await;
    let mut live = world.listen(Channel::user("1").expect("a channel")).await;
    let answer = world.ask(&mark(1)).await.ok();
    assert_eq!(answer, json!({"marked": 1, "counts": {"total": 2, "unread": 1}, "version": 3}));
    assert_eq!(live.json().await, json!({"type": "unread_count", "count": 1, "version": 3}));
    assert_eq!(world.ask(&mark(1)).await.ok()["marked"], 0);
    let inbox = world.inbox("1").await;
    assert_eq!((&inbox["items"][0]["is_read"], &inbox["items"][1]["is_read"]), (&json!(false), &json!(true)));
    for id in ["99", "0", "-1", "x", "everyone-1", "99999999999999999999"] {
        assert_eq!(world.ask(&mark(id)).await.status, 404, "{id}");
    }
    // Ids are a user's own: what is another's doesn't exist here.
    assert_eq!(world.ask(&mark(2).by(user("2"))).await.status, 404);
    assert_eq!(world.unread("1").await, 1);
}

pub(crate) async fn up_to_leaves_what_came_later(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 3).await;
    let seen = world.inbox("1").await;
    world.send_many("1", 1).await;
    // The newest id that was seen, or the version of the page: both mean the same moment.
    let answer = world.ask(&read_all(&json!({"up_to": seen["items"][0]["id"]}))).await.ok();
    assert_eq!(answer, json!({"marked": 3, "counts": {"total": 4, "unread": 1}, "version": 5}));
    let answer = world.ask(&read_all(&json!({"up_to": seen["version"]}))).await.ok();
    assert_eq!(answer["marked"], 0);
    assert_eq!(world.ask(&read_all(&json!({}))).await.ok()["marked"], 1);
    let without_body = Ask::new("notifications.read-all").by(user("1"));
    assert_eq!(world.ask(&without_body).await.ok()["marked"], 0);
    let wrong = world.ask(&read_all(&json!({"up_to": true}))).await;
    assert_eq!((wrong.status, &wrong.body["field"]), (422, &json!("up_to")));
    assert_eq!(world.ask(&Ask::new("notifications.read-all").by(user("1")).bytes("{")).await.status, 400);
    assert_eq!(world.ask(&read_all(&json!({"up_to": "unknown"}))).await.status, 404);
}

pub(crate) async fn a_removed_notification_is_gone(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 3).await;
    world.ask(&mark(3)).await.ok();
    let mut live = world.listen(Channel::user("1").expect("a channel")).await;
    let request = delete(2);
    assert_eq!(world.ask(&request).await.status, 204);
    assert_eq!(live.json().await, json!({"type": "unread_count", "count": 1, "version": 5}));
    // The gateway asks the same again; somebody else asks for what is gone.
    assert_eq!(world.ask(&request).await.status, 204);
    assert_eq!(world.ask(&delete(2)).await.status, 404);
    assert_eq!(world.ask(&mark(2)).await.status, 404);
    assert_eq!(world.ask(&delete(3)).await.status, 204);
    let inbox = world.inbox("1").await;
    assert_eq!(ids(&inbox), [1]);
    assert_eq!(inbox["counts"], json!({"total": 1, "unread": 1}));
    world.send_many("1", 1).await;
    assert_eq!(ids(&world.inbox("1").await), [7, 1]);
}

pub(crate) async fn only_users_have_one(place: Place) {
    let world = World::start(place).await;
    assert_eq!(world.ask(&Ask::new("notifications.list")).await.status, 401);
    let service = service("s1", "notifications:send");
    assert_eq!(world.ask(&list().by(service.clone())).await.status, 403);
    assert_eq!(world.ask(&read_all(&json!({})).by(service)).await.status, 403);
    assert_eq!(world.ask(&Ask::new("nonsense").by(user("1"))).await.status, 404);
}

pub(crate) async fn an_inbox_outlives_the_process(place: Place) {
    let mut world = World::start(place).await;
    world.send_many("1", 2).await;
    let before = world.inbox("1").await;
    let epoch = world.history(&Channel::user("1").expect("a channel")).await[0].epoch.clone();
    world.stop().await;
    world.add_replica(Default::default()).await;
    assert_eq!(world.inbox("1").await, before);
    world.send_many("1", 1).await;
    assert_eq!(ids(&world.inbox("1").await), [3, 2, 1]);
    let events = world.history(&Channel::user("1").expect("a channel")).await;
    assert_eq!(events.iter().map(|event| event.offset).collect::<Vec<_>>(), [1, 2, 3]);
    assert!(events.iter().all(|event| event.epoch == epoch));
}
