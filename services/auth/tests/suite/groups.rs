//! Organisations and projects.

use carillon_contract::messages::{MembershipRequest, access_change::Change};
use serde_json::{Value, json};

use crate::{database::Fresh, world::World};

pub(crate) async fn organisations_are_created_listed_and_removed(fresh: Fresh) {
    let world = World::start(fresh).await;
    let id = "f2b8c1f0-6d0c-4b43-9a52-3d0a8a3f4f10";
    let body = json!({"id": id, "name": "Zeta"});
    assert_eq!(world.admin("auth.orgs.create").body(&body).expect(201).await["id"], id);
    world.admin("auth.orgs.create").body(&body).expect(409).await;
    let numbered = world.admin("auth.orgs.create").body(&json!({"id": 17, "name": "17"})).expect(201).await;
    assert_eq!(numbered["id"], 17);
    let made = world.admin("auth.orgs.create").body(&json!({"name": "No id"})).expect(201).await;
    assert_eq!(made["id"].as_str().map(str::len), Some(36));

    let mut ids = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.admin("auth.orgs.list").query("limit", "2").query("after", &after).expect(200).await;
        ids.extend(page["items"].as_array().expect("items").iter().map(|org| org["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        next.clone_into(&mut after);
    }
    ids.sort_by_key(Value::to_string);
    let mut expected = vec![json!("acme"), json!(17), json!(id), made["id"].clone()];
    expected.sort_by_key(Value::to_string);
    assert_eq!(ids, expected);

    world.admin("auth.orgs.delete").parameter("org_id", "acme").expect(204).await;
    world.admin("auth.orgs.delete").parameter("org_id", "acme").expect(404).await;
    let ended: Vec<_> = world.changes().await;
    assert_eq!(ended.len(), 2, "alice and bob are members no longer");
    assert!(
        ended
            .iter()
            .all(|change| matches!(change, Change::MembershipEnded(end) if end.resource == "org.acme"))
    );
    let reply =
        world.call(&MembershipRequest { user: "1".to_owned(), resource: "org.acme".to_owned() }).await;
    assert!(!reply.exists && !reply.member);
    assert!(world.counter("carillon_auth_revocations_total", "membership") == 2.0);
}

pub(crate) async fn projects_have_keys(fresh: Fresh) {
    let world = World::start(fresh).await;
    let create = |body: Value| world.admin("auth.projects.create").body(&body);
    let project = create(json!({"name": "Data lake", "key": "LAKE"})).expect(201).await;
    assert_eq!((&project["id"], &project["key"]), (&json!(2), &json!("LAKE")));
    assert_eq!(create(json!({"name": "Web shop"})).expect(201).await["key"], "WEBSHOP");
    create(json!({"name": "Another", "key": "LAKE"})).expect(409).await;
    create(json!({"id": 1, "name": "Taken", "key": "FREE"})).expect(409).await;
    create(json!({"id": 10, "name": "Ten"})).expect(201).await;
    assert_eq!(create(json!({"name": "Eleven"})).expect(201).await["id"], 11, "after the highest");
    world.admin("auth.projects.delete").parameter("project_id", "10").expect(204).await;
    world.admin("auth.projects.delete").parameter("project_id", "10").expect(404).await;
}

pub(crate) async fn groups_that_can_not_be_are_refused(fresh: Fresh) {
    let world = World::start(fresh).await;
    for (field, body) in [
        ("name", json!({"id": "x"})),
        ("name", json!({"name": " "})),
        ("name", json!({"name": "x".repeat(255)})),
        ("id", json!({"id": "", "name": "x"})),
        ("id", json!({"id": 1.5, "name": "x"})),
        ("key", json!({"name": "x", "key": "KEY"})),
    ] {
        world.admin("auth.orgs.create").body(&body).expect_field(field).await;
    }
    for key in ["", "lower", "1ST", "ELEVENCHARS", "A B"] {
        let body = json!({"name": "x", "key": key});
        world.admin("auth.projects.create").body(&body).expect_field("key").await;
    }
    world.admin("auth.orgs.create").raw_body("[").expect(400).await;
    world.ask("auth.orgs.create").body(&json!({"name": "x"})).expect(401).await;
    world.admin("auth.orgs.delete").parameter("org_id", "").expect(404).await;
}
