//! A project's statuses: what there is to begin with, and what admins make of it.

use carillon_testkit::service::{Ask, Place, admin};
use serde_json::{Value, json};

use crate::{
    board::Board,
    desk::{about, ask, change, create, created, gone, id, refusal, show, titled, told},
    world::World,
};

fn creation(body: &Value) -> Ask {
    ask("statuses.create", "1").by(admin()).body(body)
}

fn update(status: impl ToString, body: &Value) -> Ask {
    ask("statuses.update", "1").by(admin()).parameter("status_id", status).body(body)
}

fn deletion(status: impl ToString) -> Ask {
    ask("statuses.delete", "1").by(admin()).parameter("status_id", status)
}

async fn names(world: &World) -> Vec<String> {
    let statuses = world.ask(&ask("statuses.list", "2")).await.ok()["statuses"].clone();
    statuses.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

/// Document 3's own among them.
pub(crate) async fn a_project_begins_with_four(place: Place) {
    let world = World::start(place).await;
    let expected = json!({"statuses": [
        {"id": 1, "name": "Open", "color": "#1890ff", "position": 1},
        {"id": 2, "name": "In Progress", "color": "#faad14", "position": 2},
        {"id": 3, "name": "In Review", "color": "#722ed1", "position": 3},
        {"id": 4, "name": "Done", "color": "#52c41a", "position": 4},
    ]});
    assert_eq!(world.ask(&ask("statuses.list", "2")).await.ok(), expected);
    titled(&world, "x").await;
    assert_eq!(world.ask(&ask("statuses.list", "2")).await.ok(), expected);
}

/// Each change is told, and what tickets show of it changes with it.
pub(crate) async fn statuses_are_made_renamed_reordered_and_removed(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(&crate::world::channel("1", "tickets")).await;
    let blocked = created(world.ask(&creation(&json!({"name": " Blocked ", "color": "#F00"}))).await);
    assert_eq!(blocked, json!({"id": 5, "name": "Blocked", "color": "#F00", "position": 5}));
    let event = live.json().await;
    assert_eq!((&event["type"], &event["action"]), (&json!("status_update"), &json!("created")));
    assert_eq!((&event["data"], &event["actor"]["id"]), (&blocked, &json!(4)));
    let ticket = id(&create(&world, "1", &json!({"title": "x", "status": "blocked"})).await);
    let waiting = world.ask(&update(5, &json!({"name": "Waiting", "color": "#00ff00"}))).await.ok();
    assert_eq!(waiting, json!({"id": 5, "name": "Waiting", "color": "#00ff00", "position": 5}));
    let shown = show(&world, ticket).await;
    assert_eq!(shown["status"], json!({"id": 5, "name": "Waiting", "color": "#00ff00"}));
    assert_eq!(shown["version"], 1);
    // The first in order is a new ticket's.
    world.ask(&update(5, &json!({"position": 0}))).await.ok();
    assert_eq!(names(&world).await, ["Waiting", "Open", "In Progress", "In Review", "Done"]);
    assert_eq!(create(&world, "1", &json!({"title": "y"})).await["status"]["name"], "Waiting");
    world.ask(&update(1, &json!({"position": 3}))).await.ok();
    assert_eq!(names(&world).await, ["Waiting", "In Progress", "Open", "In Review", "Done"]);
    let between = created(world.ask(&creation(&json!({"name": "Between", "position": 3}))).await);
    assert_eq!((&between["id"], &between["color"]), (&json!(6), &json!("#8c8c8c")));
    assert_eq!(names(&world).await[2..5], ["Open", "In Review", "Between"]);
    gone(world.ask(&deletion(6)).await);
    let event = told(&world).await.pop().unwrap();
    assert_eq!((&event["action"], &event["data"]), (&json!("deleted"), &between));
    // An id is not given out again.
    assert_eq!(created(world.ask(&creation(&json!({"name": "Between"}))).await)["id"], 7);
    let events = told(&world).await;
    assert_eq!(Board::replayed(&events), Board::listed(&world, 1).await);
    // What is so already is no change.
    world.ask(&update(7, &json!({"name": "Between"}))).await.ok();
    world.ask(&update(7, &json!({}))).await.ok();
    assert_eq!(told(&world).await.len(), events.len());
}

/// 409 for what can't be as things are.
pub(crate) async fn what_is_in_use_stays(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    assert_eq!(refusal(&world, &deletion(1)).await.0, 409);
    for name in ["Done", "dONE", " Done "] {
        assert_eq!(refusal(&world, &creation(&json!({"name": name}))).await.0, 409, "{name}");
        assert_eq!(refusal(&world, &update(1, &json!({"name": name}))).await.0, 409, "{name}");
    }
    assert_eq!(world.ask(&update(1, &json!({"name": "OPEN"}))).await.ok()["name"], "OPEN");
    world.ask(&change(ticket, "1", &json!({"status": 4}))).await.ok();
    for status in 1..4 {
        gone(world.ask(&deletion(status)).await);
        assert_eq!(refusal(&world, &deletion(status)).await.0, 404);
    }
    world.ask(&about("tickets.delete", ticket, "1")).await;
    assert_eq!(refusal(&world, &deletion(4)).await.0, 409);
    assert_eq!(names(&world).await, ["Done"]);
    for number in 0..49 {
        created(world.ask(&creation(&json!({"name": number.to_string()}))).await);
    }
    assert_eq!(refusal(&world, &creation(&json!({"name": "one more"}))).await.0, 409);
}

/// 403, 404 and 422; nothing is written.
pub(crate) async fn what_is_wrong_is_refused(place: Place) {
    let world = World::start(place).await;
    let named = json!({"name": "New"});
    for ask in [creation(&named), update(1, &named), deletion(1)] {
        for user in ["1", "6"] {
            assert_eq!(refusal(&world, &ask.clone().by(crate::world::person(user))).await.0, 403);
        }
        assert_eq!(refusal(&world, &ask.parameter("project_id", 9)).await.0, 404);
    }
    for status in ["9", "0", "-1", "+1", "01", "x", ""] {
        for ask in [update(status, &named), deletion(status)] {
            assert_eq!(refusal(&world, &ask).await.0, 404, "{status}");
        }
    }
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(51))),
        ("name", json!("a\nb")),
        ("name", json!(1)),
        ("color", json!("red")),
        ("color", json!("#12345")),
        ("color", json!("#12345g")),
        ("position", json!(-1)),
        ("position", json!(1_000_001)),
        ("position", json!("1")),
        ("id", json!(7)),
    ] {
        let mut body = named.clone();
        body[field] = value;
        for ask in [creation(&body), update(1, &body)] {
            assert_eq!(refusal(&world, &ask).await, (422, field.to_owned()), "{ask:?}");
        }
    }
    assert_eq!(refusal(&world, &creation(&json!({"color": "#123"}))).await, (422, "name".to_owned()));
    assert_eq!(refusal(&world, &creation(&json!({})).bytes("{")).await.0, 400);
    assert_eq!(told(&world).await, [] as [Value; 0]);
    assert_eq!(names(&world).await.len(), 4);
}
