use std::time::Duration;

use carillon_notification::RetentionArgs;
use serde_json::json;

use carillon_testkit::service::{Ask, Place, admin, until, user};

use crate::world::World;

pub(crate) async fn an_inbox_that_grows_too_long_loses_its_oldest(place: Place) {
    let retention = RetentionArgs { notification_inbox_count: 20, ..RetentionArgs::default() };
    let world = World::start_with(place, 1, retention).await;
    let first = Ask::new("notifications.send")
        .by(admin())
        .body(&json!({"title": "t", "message": "m", "user_id": 1}))
        .key("first");
    let sent = world.ask(&first).await.ok();
    world.send_many("1", 21).await;
    assert_eq!(world.inbox("1").await["counts"]["total"], 22);
    let read = Ask::new("notifications.read").by(user("1")).parameter("notification_id", 1);
    world.ask(&read).await.ok();
    world.send_many("1", 1).await;
    let inbox = world.inbox("1").await;
    assert_eq!(inbox["counts"], json!({"total": 20, "unread": 20}));
    assert_eq!(inbox["items"].as_array().expect("items").len(), 20);
    assert_eq!(inbox["items"][19]["id"], 4);
    // What has gone is still known to have been sent.
    assert_eq!(world.ask(&first).await.ok(), sent);
    assert_eq!(world.inbox("1").await["counts"]["total"], 20);
}

pub(crate) async fn what_is_too_old_goes(place: Place) {
    let short = RetentionArgs {
        notification_log_age: Duration::from_millis(1),
        notification_inbox_age: Duration::from_millis(1),
        notification_repeatable: Duration::from_millis(1),
        notification_prune_every: Duration::from_millis(20),
        ..RetentionArgs::default()
    };
    let mut world = World::start(place).await;
    let ask = Ask::new("notifications.send")
        .by(admin())
        .body(&json!({"title": "t", "message": "m", "user_id": 1}))
        .key("k");
    world.ask(&ask).await.ok();
    world.send(&json!({"title": "t", "message": "m"})).await;
    assert_eq!(world.unread("1").await, 2);
    world.stop().await;
    world.add_replica(short).await;
    until("the inbox is empty", async || {
        world.inbox("1").await["counts"] == json!({"total": 0, "unread": 0})
    })
    .await;
    let channel = carillon_contract::Channel::user("1").expect("a channel");
    until("the log is empty", async || world.history(&channel).await.is_empty()).await;
    // Its key is forgotten, too; ids go on.
    until("the key is forgotten", async || world.ask(&ask).await.ok()["id"].as_i64().expect("an id") > 2)
        .await;
}
