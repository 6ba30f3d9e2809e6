//! Users, as an admin sees them.

use carillon_auth::Demo;
use carillon_contract::messages::{Identity, MembershipRequest, access_change::Change};
use serde_json::{Value, json};

use crate::{
    database::Fresh,
    world::{PASSWORD, World, identity},
};

fn eve() -> Value {
    json!({"username": "Eve", "password": "correct horse", "email": "eve@example.com", "roles": ["support"]})
}

pub(crate) async fn an_admin_creates_lists_and_deletes_users(fresh: Fresh) {
    let world = World::start(fresh).await;
    let created = world.admin("auth.users.create").body(&eve()).expect(201).await;
    assert_eq!((&created["id"], &created["username"]), (&json!(5), &json!("Eve")));
    assert!(created.get("password").is_none() && created.get("password_hash").is_none());

    let first = world.admin("auth.users.list").query("limit", "3").expect(200).await;
    assert_eq!(first["items"].as_array().map(Vec::len), Some(3));
    let rest = world.admin("auth.users.list").query("after", &as_text(&first["next"])).expect(200).await;
    let names: Vec<_> =
        rest["items"].as_array().expect("items").iter().map(|user| &user["username"]).collect();
    assert_eq!(names, ["admin", "Eve"]);
    assert_eq!((&rest["next"], &rest["items"][1]), (&Value::Null, &created));
    world.admin("auth.users.list").query("limit", "0").expect_field("limit").await;
    world.admin("auth.users.list").query("limit", "x").expect_field("limit").await;
    world.admin("auth.users.list").query("after", "x").expect_field("after").await;

    let (access, refresh) = world.log_in("alice").await;
    world.admin("auth.users.delete").parameter("user_id", "1").expect(204).await;
    assert_eq!(world.verify(&access).await, 401);
    assert_eq!(world.refresh(&refresh).await.status, 401);
    let membership = MembershipRequest { user: "1".to_owned(), resource: "org.acme".to_owned() };
    assert!(!world.call(&membership).await.member);
    let changes = world.changes().await;
    let [Change::UserRevoked(revoked), Change::MembershipEnded(org), Change::MembershipEnded(project)] =
        &changes[..]
    else {
        panic!("{changes:?}")
    };
    assert_eq!((revoked.user.as_str(), org.resource.as_str()), ("1", "org.acme"));
    assert_eq!(project.resource, "project.1");
    for id in ["1", "99", "04", "x"] {
        world.admin("auth.users.delete").parameter("user_id", id).expect(404).await;
    }
}

pub(crate) async fn a_user_that_can_not_be_is_refused_with_the_field(fresh: Fresh) {
    let world = World::start(fresh).await;
    world.ask("auth.users.create").body(&eve()).expect(401).await;
    world.ask("auth.users.create").identity(identity("1")).body(&eve()).expect(403).await;
    for (field, value) in [
        ("username", json!("")),
        ("username", json!("a\nb")),
        ("username", json!("x".repeat(151))),
        ("password", json!("short")),
        ("password", json!("x".repeat(1_025))),
        ("email", json!("x".repeat(255))),
        ("roles", json!(["Has Spaces"])),
        ("active", json!("yes")),
    ] {
        let mut body = eve();
        body[field] = value;
        world.admin("auth.users.create").body(&body).expect_field(field).await;
    }
    world.admin("auth.users.create").raw_body("nonsense").expect(400).await;
    let taken = json!({"username": "ALICE", "password": PASSWORD});
    world.admin("auth.users.create").body(&taken).expect(409).await;
}

pub(crate) async fn a_repeated_request_gets_the_first_answer(fresh: Fresh) {
    let world = World::start(fresh).await;
    let create = || world.admin("auth.users.create").body(&eve());
    let first = create().number("7").expect(201).await;
    assert_eq!(create().number("7").expect(201).await, first, "the gateway asked again");
    create().number("8").expect(409).await;
    let organisation =
        || world.admin("auth.orgs.create").body(&json!({"name": "New"})).idempotency_key("a key");
    assert_eq!(organisation().expect(201).await, organisation().expect(201).await);
    organisation().idempotency_key(&"x".repeat(256)).expect(400).await;
    let other = world.ask("auth.orgs.create").body(&json!({"name": "New"})).idempotency_key("a key");
    let other = other.identity(Identity { roles: vec!["admin".to_owned()], ..identity("9") });
    assert_ne!(other.expect(201).await, organisation().expect(201).await, "someone else's key");

    let delete = |number| world.admin("auth.users.delete").parameter("user_id", "1").number(number);
    delete("10").expect(204).await;
    delete("10").expect(204).await;
    delete("11").expect(404).await;
    delete("11").expect(404).await;
    let replace = |number| {
        let body = json!({"members": [2, 3]});
        world.admin("auth.orgs.members.replace").parameter("org_id", "acme").body(&body).number(number)
    };
    assert_eq!(replace("12").expect(200).await, json!({"added": 1, "removed": 0}));
    assert_eq!(replace("12").expect(200).await, json!({"added": 1, "removed": 0}));
    assert_eq!(replace("13").expect(200).await, json!({"added": 0, "removed": 0}));
    let rotate = |number| world.admin("auth.keys.rotate").number(number);
    assert_eq!(rotate("14").expect(201).await, rotate("14").expect(201).await);
    // Two at once, as when the first one takes too long.
    let create = || world.admin("auth.orgs.create").body(&json!({"name": "At once"})).number("15");
    let (one, other) = tokio::join!(create().expect(201), create().expect(201));
    assert_eq!(one, other);
}

pub(crate) async fn the_bootstrap_admin_is_made_once(fresh: Fresh) {
    let mut world = World::empty(fresh);
    let file = world.directory().join("password");
    for content in ["carillon\n", "another password\n"] {
        std::fs::write(&file, content).expect("a file");
        world.launch(|args| {
            args.bootstrap.bootstrap_admin = Some("admin".to_owned());
            args.bootstrap.bootstrap_admin_password_file = Some(file.clone());
        });
        world.ready().await;
        let body = json!({"username": "admin", "password": PASSWORD});
        let tokens = world.ask("auth.token").body(&body).expect(200).await;
        assert_eq!(world.verify(&as_text(&tokens["access"])).await, 200);
        let me = world.ask("auth.me").identity(identity("1")).expect(200).await;
        assert_eq!((&me["username"], &me["roles"]), (&json!("admin"), &json!(["admin"])));
        world.stop().await;
    }
    // No demo without being asked for it, as in a cluster.
    world.launch(|_| {});
    world.ready().await;
    let body = json!({"username": "alice", "password": PASSWORD});
    world.ask("auth.token").body(&body).expect(401).await;
}

pub(crate) async fn where_another_issuer_owns_bare_ids_ours_have_a_prefix(fresh: Fresh) {
    let world = World::start_with(fresh, |args| {
        args.demo = Demo::Make;
        args.bare_ids = "django".to_owned();
    })
    .await;
    let users = world.admin("auth.users.list").expect(200).await;
    assert_eq!(users["items"][0]["id"], "carillon:1");
    let membership =
        |user: &str| MembershipRequest { user: user.to_owned(), resource: "org.acme".to_owned() };
    assert!(world.call(&membership("carillon:1")).await.member);
    assert!(!world.call(&membership("1")).await.member, "that is someone else");
    let (access, refresh) = world.log_in("alice").await;
    world.admin("auth.users.revoke").parameter("user_id", "1").expect(204).await;
    assert_eq!(world.verify(&access).await, 200, "that was someone else");
    world.admin("auth.users.revoke").parameter("user_id", "carillon:1").expect(204).await;
    assert_eq!(world.verify(&access).await, 401);
    assert_eq!(world.refresh(&refresh).await.status, 401);
    let me = world.ask("auth.me").identity(identity("carillon:2")).expect(200).await;
    assert_eq!((&me["id"], &me["username"]), (&json!("carillon:2"), &json!("bob")));
    world.admin("auth.users.delete").parameter("user_id", "2").expect(404).await;
    world.admin("auth.users.delete").parameter("user_id", "carillon:2").expect(204).await;
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
