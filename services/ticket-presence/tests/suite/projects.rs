//! The projects that a user works in.

use carillon_testkit::service::{Ask, Place, service};
use serde_json::json;

use crate::{
    desk::{ask, create, refusal, titled},
    world::{World, person},
};

/// One's own, page by page; each with its statuses and how many tickets they have.
pub(crate) async fn projects_are_listed_and_shown(place: Place) {
    let world = World::start(place).await;
    let list = |by: &str| Ask::new("projects.list").by(person(by));
    let one = json!({"id": 1, "name": "Project 1", "key": "PROJ"});
    let two = json!({"id": 2, "name": "Project 2", "key": "P2"});
    assert_eq!(world.ask(&list("1")).await.ok(), json!({"projects": [one, two], "next": null}));
    assert_eq!(world.ask(&list("6")).await.ok(), json!({"projects": [two], "next": null}));
    assert_eq!(world.ask(&list("nobody")).await.ok(), json!({"projects": [], "next": null}));
    let first = world.ask(&list("1").query("limit", 1)).await.ok();
    assert_eq!(first, json!({"projects": [one], "next": "1"}));
    assert_eq!(
        world.ask(&list("1").query("limit", 1).query("after", "1")).await.ok()["projects"],
        json!([two])
    );
    for limit in ["0", "501", "-1", "x"] {
        assert_eq!(refusal(&world, &list("1").query("limit", limit)).await, (422, "limit".to_owned()));
    }
    assert_eq!(refusal(&world, &list("1").by(service("s1", ""))).await.0, 403);
    titled(&world, "x").await;
    create(&world, "1", &json!({"title": "y", "status": "done"})).await;
    let shown = world.ask(&ask("show", "2")).await.ok();
    assert_eq!((&shown["key"], &shown["tickets"]), (&json!("PROJ"), &json!(2)));
    let counts: Vec<_> =
        shown["statuses"].as_array().unwrap().iter().map(|it| (&it["name"], &it["tickets"])).collect();
    let expected = [("Open", 1), ("In Progress", 0), ("In Review", 0), ("Done", 1)];
    let expected = expected.map(|(name, count)| (json!(name), json!(count)));
    assert_eq!(counts, expected.iter().map(|(name, count)| (name, count)).collect::<Vec<_>>());
}
