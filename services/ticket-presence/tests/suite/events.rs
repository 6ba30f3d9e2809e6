//! What back ends that keep their own tickets have to tell (S3-04).

use carillon_testkit::service::{Ask, Place, service};
use serde_json::{Value, json};

use crate::{
    desk::{created, refusal, told},
    world::{World, channel},
};

fn event(body: &Value) -> Ask {
    let back_end = service("s1", "events:publish");
    Ask::new("projects.events.publish").by(back_end).parameter("project_id", 1).body(body)
}

/// Document 3's own frame.
fn document() -> Value {
    json!({
        "type": "ticket_update", "action": "created",
        "data": {
            "ticket_id": 123, "key": "PROJ-456", "title": "Fix login bug",
            "status": {"id": 1, "name": "Open", "color": "#1890ff"},
        },
    })
}

fn notify() -> Value {
    json!({
        "user_id": 2, "id": "ticket_123_assigned", "notification_type": "ticket_assigned", "title": "Ticket Assigned",
        "message": "You were assigned to PROJ-456: Fix login bug", "ticket_id": 123, "ticket_key": "PROJ-456",
        "timestamp": "2025-11-05T12:00:00Z",
    })
}

/// Those who listen to the tickets receive what was sent, without what is not for them.
pub(crate) async fn tickets_kept_elsewhere_are_told_of(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(&channel("1", "tickets")).await;
    let mut sent = document();
    sent["notify"] = notify();
    let answer = created(world.ask(&event(&sent)).await);
    assert_eq!(answer, json!({"channel": "project.1.tickets", "offset": 1}));
    assert_eq!(live.json().await, document());
    for kind in ["comment_added", "comment_updated", "comment_deleted"] {
        let sent = json!({"type": kind, "data": {"ticket_id": "T-1", "extra": [1, null]}, "whatever": true});
        created(world.ask(&event(&sent)).await);
        assert_eq!(live.json().await, sent);
    }
    assert_eq!(told(&world).await.len(), 4);
    assert_eq!(world.told(&channel("1", "events")).await, [] as [Value; 0]);
    let notices = world.notified().await;
    assert_eq!(notices.len(), 1);
    assert_eq!((&notices[0].users, notices[0].title.as_str()), (&vec!["2".to_owned()], "Ticket Assigned"));
    assert_eq!(notices[0].notification_type, "ticket_assigned");
    let members: Value = serde_json::from_slice(&notices[0].members).unwrap();
    let expected = json!({
        "id": "ticket_123_assigned", "ticket_id": 123, "ticket_key": "PROJ-456", "project_id": 1,
        "timestamp": "2025-11-05T12:00:00Z",
    });
    assert_eq!(members, expected);
}

/// Any other type is heard by those who listen to the project, and not by those who listen to its tickets.
pub(crate) async fn a_project_has_events_of_its_own(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(&channel("1", "events")).await;
    for (number, kind) in ["deploy.finished", "a", "A-b_c.9", &"x".repeat(100)].iter().enumerate() {
        let sent = json!({"type": kind, "version": "1.2", "nested": {"deep": [1.5, {}]}});
        let answer = created(world.ask(&event(&sent)).await);
        assert_eq!(answer, json!({"channel": "project.1.events", "offset": number + 1}));
        assert_eq!(live.json().await, sent);
    }
    assert_eq!(told(&world).await, [] as [Value; 0]);
    let elsewhere = event(&json!({"type": "deploy"})).parameter("project_id", 2);
    assert_eq!(created(world.ask(&elsewhere).await)["channel"], "project.2.events");
}

/// One, several, and several users of one; each gets it once.
pub(crate) async fn whoever_is_named_is_notified(place: Place) {
    let world = World::start(place).await;
    let several = json!([
        {"user_ids": [2, "3", 2, "keycloak:z"], "user_id": 3, "title": "T", "message": "M", "data": {"a": 1}},
        {"user_id": 2, "title": "U", "message": "M", "priority": "high", "project_id": "mine", "id": null},
    ]);
    created(world.ask(&event(&json!({"type": "deploy", "notify": several}))).await);
    created(world.ask(&event(&json!({"type": "deploy", "notify": []}))).await);
    created(world.ask(&event(&json!({"type": "deploy", "notify": null}))).await);
    let notices = world.notified().await;
    assert_eq!(notices.len(), 2);
    assert_eq!(notices[0].users, ["2", "3", "keycloak:z"]);
    assert_eq!((&notices[0].data[..], &notices[1].data[..]), (&br#"{"a":1}"#[..], &b""[..]));
    assert_eq!((notices[1].priority.as_str(), notices[0].priority.as_str()), ("high", ""));
    assert_ne!(notices[0].cause, notices[1].cause);
    let members: Value = serde_json::from_slice(&notices[1].members).unwrap();
    assert_eq!(members["project_id"], "mine");
}

/// The same key again is the same event, and of another event refused: nobody is told of that.
pub(crate) async fn a_key_stands_for_one_event(place: Place) {
    let world = World::start(place).await;
    let mut sent = document();
    sent["notify"] = notify();
    let first = created(world.ask(&event(&sent).key("k")).await);
    world.notified().await;
    assert_eq!(created(world.ask(&event(&sent).key("k")).await), first);
    let mut notify = notify();
    notify["user_id"] = json!(3);
    let mut renamed = document();
    renamed["data"]["title"] = json!("Another");
    for other in [renamed, json!({"type": "comment_added", "data": {}}), json!({"type": "deploy"})] {
        let mut other = other;
        other["notify"] = notify.clone();
        assert_eq!(refusal(&world, &event(&other).key("k")).await.0, 409, "{other}");
    }
    created(world.ask(&event(&json!({"type": "deploy"})).key("other")).await);
    assert_eq!(refusal(&world, &event(&sent).key("other")).await.0, 409);
    assert_eq!(world.notified().await.len(), 1);
    assert_eq!((told(&world).await.len(), world.told(&channel("1", "events")).await.len()), (1, 1));
    // Another back end's key, another project's, and none.
    let theirs = event(&sent).key("k").by(service("s2", "events:publish"));
    for ask in [theirs, event(&sent).key("k").parameter("project_id", 2), event(&sent)] {
        created(world.ask(&ask).await);
    }
    assert_eq!(world.notified().await.len(), 4);
    let again = event(&sent);
    let first = created(world.ask(&again).await);
    assert_eq!(created(world.ask(&again).await), first);
    assert_eq!(world.notified().await.len(), 5);
}

/// 422 naming the field, 400, 404; nothing is published, nobody is notified.
pub(crate) async fn what_is_no_event_is_refused(place: Place) {
    let world = World::start(place).await;
    for kind in [
        "connection_established",
        "user_status",
        "ticket_viewing",
        "user_typing",
        "status_update",
        "recovery",
        "error",
        "pong",
        "reconnect",
    ] {
        assert_eq!(refusal(&world, &event(&json!({"type": kind}))).await, (422, "type".to_owned()), "{kind}");
    }
    let long = "x".repeat(101);
    for (field, body) in [
        ("type", json!({})),
        ("type", json!({"type": ""})),
        ("type", json!({"type": 1})),
        ("type", json!({"type": "a b"})),
        ("type", json!({"type": "ä"})),
        ("type", json!({"type": long})),
        ("channel", json!({"type": "deploy", "channel": "x"})),
        ("offset", json!({"type": "deploy", "offset": 1})),
        ("epoch", json!({"type": "deploy", "epoch": null})),
        ("data", json!({"type": "ticket_update", "action": "created"})),
        ("data", json!({"type": "comment_added", "data": []})),
        ("action", json!({"type": "ticket_update", "data": {}})),
        ("action", json!({"type": "ticket_update", "data": {}, "action": "moved"})),
        ("body", json!([])),
        ("body", json!("deploy")),
    ] {
        assert_eq!(refusal(&world, &event(&body)).await, (422, field.to_owned()), "{body}");
    }
    let valid = json!({"user_id": 2, "title": "T", "message": "M"});
    let with = |name: &str, value: Value| {
        let mut notify = valid.clone();
        notify[name] = value;
        notify
    };
    for notify in [
        json!("x"),
        json!({}),
        json!([valid, {"title": "T", "message": "M"}]),
        json!(vec![&valid; 101]),
        with("user_id", json!("")),
        with("user_ids", json!((0..1_001).collect::<Vec<_>>())),
        with("user_ids", json!(2)),
        with("title", json!("")),
        with("title", json!("x".repeat(201))),
        with("message", json!(null)),
        with("message", json!("x".repeat(5_001))),
        with("priority", json!("urgent")),
        with("notification_type", json!(long)),
        with("notification_type", json!(7)),
        with("data", json!([])),
        with("id", json!("")),
        with("id", json!(1.5)),
        with("timestamp", json!({})),
        with("timestamp", json!(long)),
        with("timestamp", json!(true)),
        with("extra", json!("x".repeat(70_000))),
    ] {
        let body = json!({"type": "deploy", "notify": notify});
        assert_eq!(refusal(&world, &event(&body)).await, (422, "notify".to_owned()), "{notify}");
    }
    for body in ["", "{", "x"] {
        assert_eq!(refusal(&world, &event(&json!({})).bytes(body)).await.0, 400, "{body}");
    }
    for project in ["9", "", "a b"] {
        assert_eq!(refusal(&world, &event(&document()).parameter("project_id", project)).await.0, 404);
    }
    for kind in ["tickets", "events"] {
        assert_eq!(world.told(&channel("1", kind)).await, [] as [Value; 0]);
    }
    assert_eq!(world.notified().await, []);
}
