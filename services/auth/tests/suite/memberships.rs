//! Who is a member of what.

use carillon_contract::messages::{MembersRequest, MembershipRequest, access_change::Change};
use serde_json::{Value, json};

use crate::{
    database::Fresh,
    world::{Asking, World, back_end, identity},
};

fn of<'a>(asking: Asking<'a>, org: &str) -> Asking<'a> {
    asking.identity(back_end("memberships:write")).parameter("org_id", org)
}

async fn members(world: &World, org: &str) -> Value {
    of(world.ask("auth.orgs.members.list"), org).expect(200).await["members"].clone()
}

pub(crate) async fn members_are_added_listed_and_removed(fresh: Fresh) {
    let world = World::start(fresh).await;
    let mut listener = world.listen().await;
    for _ in 0..2 {
        of(world.ask("auth.orgs.members.add"), "acme").parameter("user_id", "3").expect(204).await;
    }
    assert_eq!(members(&world, "acme").await, json!([1, 2, 3]));
    let page = of(world.ask("auth.orgs.members.list"), "acme").query("limit", "2").expect(200).await;
    assert_eq!(page, json!({"members": [1, 2], "next": "2"}));
    let page = of(world.ask("auth.orgs.members.list"), "acme").query("after", "2").expect(200).await;
    assert_eq!(page, json!({"members": [3], "next": null}));

    of(world.ask("auth.orgs.members.remove"), "acme").parameter("user_id", "1").expect(204).await;
    let Change::MembershipEnded(ended) = listener.next().await else { panic!("an ended membership") };
    assert_eq!((ended.user.as_str(), ended.resource.as_str()), ("1", "org.acme"));
    of(world.ask("auth.orgs.members.remove"), "acme").parameter("user_id", "1").expect(404).await;
    assert_eq!(members(&world, "acme").await, json!([2, 3]));

    for route in ["list", "add", "remove", "replace"] {
        let route = format!("auth.orgs.members.{route}");
        let ask = || world.ask(&route).parameter("user_id", "1").body(&json!({"members": []}));
        of(ask(), "unknown").expect(404).await;
        ask().parameter("org_id", "acme").expect(401).await;
        ask().parameter("org_id", "acme").identity(identity("1")).expect(403).await;
        ask().parameter("org_id", "acme").identity(back_end("events:publish")).expect(403).await;
    }
    of(world.ask("auth.orgs.members.add"), "acme").parameter("user_id", "").expect_field("user_id").await;
    let project = world.admin("auth.projects.members.add").parameter("project_id", "1");
    project.parameter("user_id", "3").expect(204).await;
    let project = world.admin("auth.projects.members.remove").parameter("project_id", "1");
    project.parameter("user_id", "3").expect(204).await;
    let Change::MembershipEnded(ended) = listener.next().await else { panic!("an ended membership") };
    assert_eq!((ended.user.as_str(), ended.resource.as_str()), ("3", "project.1"));
}

pub(crate) async fn a_replacement_changes_what_differs(fresh: Fresh) {
    let world = World::start(fresh).await;
    let replace = |members: &[Value]| {
        of(world.ask("auth.orgs.members.replace"), "acme").body(&json!({ "members": members }))
    };
    let wanted = [json!(2), json!("2"), json!("b/ß"), json!(7)];
    assert_eq!(replace(&wanted).expect(200).await, json!({"added": 2, "removed": 1}));
    assert_eq!(replace(&wanted).expect(200).await, json!({"added": 0, "removed": 0}));
    assert_eq!(members(&world, "acme").await, json!([2, 7, "b/ß"]));
    let changes = world.changes().await;
    let [Change::MembershipEnded(ended)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(ended.user, "1");

    let many: Vec<Value> = (1..=1_700).map(|id| json!(id)).collect();
    assert_eq!(replace(&many).expect(200).await, json!({"added": 1_698, "removed": 1}));
    assert_eq!(replace(&[]).expect(200).await, json!({"added": 0, "removed": 1_700}));
    assert_eq!(members(&world, "acme").await, json!([]));
    let reply =
        world.call(&MembershipRequest { user: "2".to_owned(), resource: "org.acme".to_owned() }).await;
    assert!(reply.exists && !reply.member);
}

pub(crate) async fn a_replacement_is_bounded(fresh: Fresh) {
    let world = World::start(fresh).await;
    let replace = |body: Value| of(world.ask("auth.orgs.members.replace"), "acme").body(&body);
    let many: Vec<Value> = (1..=10_001).map(|id| json!(id)).collect();
    replace(json!({ "members": many })).expect_field("members").await;
    replace(json!({ "members": "1" })).expect_field("members").await;
    replace(json!({ "members": [true] })).expect_field("members[0]").await;
    replace(json!({})).expect_field("members").await;
    assert_eq!(members(&world, "acme").await, json!([1, 2]));
}

pub(crate) async fn other_services_can_ask_who_is_a_member(fresh: Fresh) {
    let world = World::start(fresh).await;
    let org = json!({"id": "a.b c", "name": "Odd"});
    world.admin("auth.orgs.create").body(&org).expect(201).await;
    let users: Vec<String> = (0..25).map(|number| format!("user-{number:02}")).collect();
    of(world.ask("auth.orgs.members.replace"), "a.b c").body(&json!({ "members": users })).expect(200).await;
    let resource = "org.a=2Eb=20c".to_owned();
    let mut told = Vec::new();
    let mut request = MembersRequest { resource: resource.clone(), limit: 10, ..Default::default() };
    loop {
        let reply = world.call(&request).await;
        assert!(reply.exists);
        told.extend(reply.users);
        if !reply.more {
            break;
        }
        request.after = told.last().expect("a member").clone();
    }
    assert_eq!(told, users);
    for (user, resource, exists, member) in [
        ("user-07", resource.as_str(), true, true),
        ("1", resource.as_str(), true, false),
        ("1", "org.a.b c", false, false),
        ("1", "project.1", true, true),
        ("1", "project.2", false, false),
        ("1", "user.1", false, false),
    ] {
        let request = MembershipRequest { user: user.to_owned(), resource: resource.to_owned() };
        let reply = world.call(&request).await;
        assert_eq!((reply.exists, reply.member), (exists, member), "{resource}");
    }
    let unknown = MembersRequest { resource: "org.unknown".to_owned(), ..Default::default() };
    assert!(!world.call(&unknown).await.exists);
}

/// Members see who the others are, and nobody else does.
pub(crate) async fn members_of_a_project_see_each_other(fresh: Fresh) {
    let world = World::start(fresh).await;
    let ask =
        |user: &str| world.ask("auth.projects.people").identity(identity(user)).parameter("project_id", "1");
    let add = world.ask("auth.projects.members.add").identity(back_end("memberships:write"));
    add.parameter("project_id", "1").parameter("user_id", "django:7").expect(204).await;
    let person = |id: Value, username: &str, first_name: &str, last_name: &str| json!({"id": id, "username": username, "first_name": first_name, "last_name": last_name});
    let (alice, bob) = (person(json!(1), "alice", "Alice", "Demo"), person(json!(2), "bob", "Bob", "Demo"));
    let foreign = person(json!("django:7"), "", "", "");
    let all = json!({"members": [&alice, &bob, &foreign], "next": null});
    assert_eq!(ask("1").expect(200).await, all);
    let admin = world.admin("auth.projects.people").parameter("project_id", "1");
    assert_eq!(admin.expect(200).await, all);
    assert_eq!(ask("2").query("limit", "1").expect(200).await, json!({"members": [alice], "next": "1"}));
    ask("3").expect(403).await;
    world.ask("auth.projects.people").parameter("project_id", "1").expect(401).await;
    ask("1").parameter("project_id", "9").expect(404).await;
}
