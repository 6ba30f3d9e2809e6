//! The demo.

use carillon_auth::Demo;
use carillon_contract::messages::{MembersRequest, MembershipRequest};
use serde_json::json;

use crate::{database::Fresh, world::World};

pub(crate) async fn the_demo_is_made_once(fresh: Fresh) {
    let mut world = World::start(fresh).await;
    for (username, id) in [("alice", 1), ("bob", 2), ("carol", 3), ("admin", 4)] {
        world.log_in(username).await;
        let users = world.admin("auth.users.list").expect(200).await;
        assert_eq!(users["items"][id - 1]["username"], username);
        assert_eq!(users["items"][id - 1]["id"], json!(id));
    }
    let projects = world.admin("auth.projects.list").expect(200).await;
    assert_eq!((&projects["items"][0]["id"], &projects["items"][0]["key"]), (&json!(1), &json!("PROJ")));
    for resource in ["org.acme", "project.1"] {
        let members =
            world.call(&MembersRequest { resource: resource.to_owned(), ..Default::default() }).await;
        assert_eq!(members.users, ["1", "2"]);
    }
    let remove =
        world.admin("auth.orgs.members.remove").parameter("org_id", "acme").parameter("user_id", "2");
    remove.expect(204).await;
    world.admin("auth.users.delete").parameter("user_id", "3").expect(204).await;
    world.stop().await;

    world.launch(|args| args.demo = Demo::Make);
    world.ready().await;
    let bob = MembershipRequest { user: "2".to_owned(), resource: "org.acme".to_owned() };
    assert!(!world.call(&bob).await.member, "what was removed stays removed");
    let users = world.admin("auth.users.list").expect(200).await;
    assert_eq!(users["items"].as_array().map(Vec::len), Some(3));
    // The next ids go on after the demo's.
    let body = json!({"name": "Second"});
    assert_eq!(world.admin("auth.projects.create").body(&body).expect(201).await["id"], 2);
    let body = json!({"username": "eve", "password": "correct horse"});
    assert_eq!(world.admin("auth.users.create").body(&body).expect(201).await["id"], 5);
}

pub(crate) async fn the_demo_is_refused_where_others_could_log_in(fresh: Fresh) {
    let mut world = World::start(fresh).await;
    world.stop().await;
    world.launch(|_| {});
    let refusal = world.refusal().await;
    assert!(refusal.contains("alice"), "{refusal}");
    world.launch(|args| args.demo = Demo::Leave);
    world.ready().await;
    for id in ["1", "2", "3", "4"] {
        world.admin("auth.users.delete").parameter("user_id", id).expect(204).await;
    }
    world.stop().await;
    world.launch(|_| {});
    world.ready().await;
}
