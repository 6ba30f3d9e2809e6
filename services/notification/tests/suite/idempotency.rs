use carillon_contract::Channel;
use futures_util::future::join_all;
use serde_json::{Value, json};

use carillon_testkit::service::{Ask, Place, admin, service, user};

use crate::world::World;

fn send(body: &Value) -> Ask {
    Ask::new("notifications.send").by(admin()).body(body)
}

fn to_user() -> Value {
    json!({"title": "t", "message": "m", "user_id": 1})
}

fn to_everyone() -> Value {
    json!({"title": "t", "message": "m"})
}

fn user_channel() -> Channel {
    Channel::user("1").expect("a channel")
}

pub(crate) async fn the_same_key_is_answered_the_same(place: Place) {
    let world = World::start(place).await;
    for body in [to_user(), to_everyone()] {
        let first =
            world.ask(&send(&body).key("k").by(service(&body.to_string(), "notifications:send"))).await;
        let again =
            world.ask(&send(&body).key("k").by(service(&body.to_string(), "notifications:send"))).await;
        assert_eq!(first.ok(), again.ok());
    }
    assert_eq!(world.history(&user_channel()).await.len(), 1);
    assert_eq!(world.history(&Channel::everyone()).await.len(), 1);
    // The broadcast and the notification.
    assert_eq!(world.unread("1").await, 2);
}

/// Without a key, what the gateway asks again is known by its own name.
pub(crate) async fn a_request_asked_again_is_one_request(place: Place) {
    let world = World::start(place).await;
    let ask = send(&to_user());
    let first = world.ask(&ask).await.ok();
    assert_eq!(first, world.ask(&ask).await.ok());
    let other = world.ask(&send(&to_user())).await.ok();
    assert_ne!(first["id"], other["id"]);
    assert_eq!(world.unread("1").await, 2);
    // Also when it was removed meanwhile.
    let remove = Ask::new("notifications.delete").by(user("1")).parameter("notification_id", &first["id"]);
    assert_eq!(world.ask(&remove).await.status, 204);
    assert_eq!(first, world.ask(&ask).await.ok());
    assert_eq!(world.unread("1").await, 1);
}

pub(crate) async fn the_same_key_at_once_is_one_notification(place: Place) {
    let world = World::start(place).await;
    for body in [to_user(), to_everyone()] {
        let ask = || send(&body).key(&body.to_string());
        let asks: Vec<_> = (0..40).map(|_| ask()).collect();
        let answers: Vec<Value> = join_all(asks.iter().map(|ask| world.ask(ask)))
            .await
            .into_iter()
            .map(|answer| answer.ok())
            .collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    assert_eq!(world.history(&user_channel()).await.len(), 1);
    assert_eq!(world.history(&Channel::everyone()).await.len(), 1);
    assert_eq!(world.inbox("1").await["counts"], json!({"total": 2, "unread": 2}));
}

pub(crate) async fn a_key_stands_for_one_body(place: Place) {
    let world = World::start(place).await;
    world.ask(&send(&to_user()).key("k")).await.ok();
    for body in [
        json!({"title": "other", "message": "m", "user_id": 1}),
        json!({"title": "t", "message": "m", "user_id": 2}),
        json!({"title": "t", "message": "m", "user_ids": [2, 3]}),
        to_everyone(),
    ] {
        let answer = world.ask(&send(&body).key("k")).await;
        assert_eq!((answer.status, &answer.body["status"]), (409, &json!("error")), "{body}");
    }
    // Two bodies at once: one of them wins, the others are told, whichever batch they are in.
    let asks: Vec<_> = (0..10)
        .map(|number| send(&json!({"title": number.to_string(), "message": "m", "user_id": 5})).key("once"))
        .collect();
    let answers = join_all(asks.iter().map(|ask| world.ask(ask))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 9);
    assert_eq!(world.unread("5").await, 1);
}

pub(crate) async fn keys_of_different_callers_are_different(place: Place) {
    let world = World::start(place).await;
    world.ask(&send(&to_user()).key("k")).await.ok();
    world.ask(&send(&to_user()).by(user("1")).key("k")).await.ok();
    world.ask(&send(&to_user()).by(service("s1", "notifications:send")).key("k")).await.ok();
    assert_eq!(world.unread("1").await, 3);
}

/// Auth goes away half-way: the request is refused, and its repetition serves the rest.
pub(crate) async fn a_request_to_many_is_completed_and_not_repeated(place: Place) {
    let world = World::start(place).await;
    world.auth.add("acme", ["1", "2", "3", "4"].map(str::to_owned));
    world.auth.set(|state| {
        state.page = Some(2);
        state.away_after = Some("2".to_owned());
    });
    let ask = send(&json!({"title": "t", "message": "m", "org_id": "acme"})).key("k");
    let refused = world.ask(&ask).await;
    assert_eq!(refused.status, 503);
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!((world.unread("2").await, world.unread("3").await), (1, 0));
    world.auth.set(|state| state.away_after = None);
    assert_eq!(world.ask(&ask).await.ok()["recipients"], 4);
    for id in ["1", "2", "3", "4"] {
        assert_eq!(world.unread(id).await, 1);
    }
}

pub(crate) async fn an_organisation_that_was_served_is_not_served_again(place: Place) {
    let world = World::start(place).await;
    world.auth.add("acme", ["1".to_owned()]);
    let ask = send(&json!({"title": "t", "message": "m", "org_id": "acme"})).key("k");
    let first = world.ask(&ask).await.ok();
    world.auth.add("acme", ["2".to_owned()]);
    assert_eq!(world.ask(&ask).await.ok(), first);
    assert_eq!((world.unread("1").await, world.unread("2").await), (1, 0));
    // An empty one has an answer to be kept, too.
    world.auth.add("empty", []);
    let ask = send(&json!({"title": "t", "message": "m", "org_id": "empty"})).key("e");
    let first = world.ask(&ask).await.ok();
    world.auth.add("empty", ["3".to_owned()]);
    assert_eq!(world.ask(&ask).await.ok(), first);
    assert_eq!(world.unread("3").await, 0);
}
