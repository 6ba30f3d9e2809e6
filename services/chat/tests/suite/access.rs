//! Who may enter which rooms and documents.

use carillon_chat::{AccessArgs, RoomAccess, SettingsArgs};
use carillon_contract::{
    Channel,
    messages::{EnterRequest, Event, Identity, OpenRequest, Session, open_reply::Outcome},
};
use carillon_testkit::service::{Ask, Place, admin, session, until, user};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::world::World;

async fn configured(place: Place, rules: &str) -> World {
    World::start_with(place, 1, settings(rules)).await
}

fn settings(rules: &str) -> SettingsArgs {
    let room_access = RoomAccess::parse(rules).expect("rules");
    SettingsArgs { access: AccessArgs { room_access }, ..SettingsArgs::default() }
}

/// What somebody is told who wants to enter: an accepted one's membership, or a refused one's code and reason.
async fn enter(
    world: &World,
    endpoint: &str,
    name: &str,
    identity: Option<Identity>,
) -> Result<String, (u32, String)> {
    let parameter = if endpoint == "document" { "name" } else { "room_name" };
    match world.open(endpoint, identity, &[(parameter, name)]).await {
        Outcome::Accept(accept) => Ok(accept.requires),
        Outcome::Reject(close) => Err((close.code, close.reason)),
    }
}

async fn enters(world: &World, name: &str, identity: Option<Identity>) -> bool {
    enter(world, "chat", name, identity).await.is_ok()
}

fn put(area: &str, prefix: &str, allow: &str) -> Ask {
    let rule = json!({"area": area, "prefix": prefix, "allow": allow});
    Ask::new("chat.access.set").by(admin()).body(&rule)
}

async fn set(world: &World, area: &str, prefix: &str, allow: &str) -> Value {
    world.ask(&put(area, prefix, allow)).await.ok()
}

async fn delete(world: &World, id: &Value) -> u32 {
    world.ask(&Ask::new("chat.access.delete").by(admin()).parameter("rule_id", id)).await.status
}

async fn rules(world: &World) -> Vec<Value> {
    let list = world.ask(&Ask::new("chat.access.list").by(admin())).await.ok();
    list["rules"].as_array().expect("rules").clone()
}

fn room(name: &str) -> Channel {
    Channel::new("room", &[name]).expect("a channel")
}

fn at(name: &str, connection: &str) -> Session {
    let session = session("chat", "", None, &[("room_name", name)]);
    Session { connection: connection.to_owned(), ..session }
}

/// Where in a channel everyone's session ended.
async fn cleared(world: &World, channel: &Channel) -> Vec<u64> {
    let is_dismissal = |event: &&Event| event.dismissal.is_some();
    world.history(channel).await.iter().filter(is_dismissal).map(|event| event.offset).collect()
}

/// The gateway lets anonymous clients in, or not; collaboration is for users.
pub(crate) async fn without_rules_rooms_are_for_everyone(place: Place) {
    let world = World::start(place).await;
    for endpoint in ["chat", "document"] {
        assert_eq!(enter(&world, endpoint, "general", None).await, Ok(String::new()));
    }
    assert!(enter(&world, "collaboration", "board", Some(user("1"))).await.is_ok());
    assert!(enter(&world, "collaboration", "board", None).await.is_err());
    assert!(rules(&world).await.is_empty());
}

/// By configuration. Admins may enter everything; refusals have the code of their document.
pub(crate) async fn the_longest_prefix_decides(place: Place) {
    let text = "chat:=signed-in;chat:eng-=users:1,2;chat:eng-all=everyone;document:=users:1";
    let world = configured(place, text).await;
    for (name, nobody, first, third) in [
        ("general", false, true, true),
        ("eng", false, true, true),
        ("eng-1", false, true, false),
        ("eng-all", true, true, true),
        ("eng-all-hands", true, true, true),
    ] {
        assert_eq!(enters(&world, name, None).await, nobody, "{name}");
        assert_eq!(enters(&world, name, Some(user("1"))).await, first, "{name}");
        assert_eq!(enters(&world, name, Some(user("3"))).await, third, "{name}");
        assert!(enters(&world, name, Some(admin())).await, "{name}");
    }
    let refused = |code: u32, reason: &str| Err((code, reason.to_owned()));
    assert_eq!(enter(&world, "chat", "eng-1", None).await, refused(4003, "a token is needed"));
    let third = Some(user("3"));
    let reason = "only certain users may enter";
    assert_eq!(enter(&world, "chat", "eng-1", third.clone()).await, refused(4004, reason));
    assert_eq!(enter(&world, "document", "x", third).await, refused(4403, reason));
    assert_eq!(enter(&world, "document", "x", None).await, refused(4401, "a token is needed"));
}

/// The gateway is told which membership the session needs.
pub(crate) async fn members_enter_for_as_long_as_they_are_members(place: Place) {
    let world = configured(place, "collaboration:proj-=project:7;chat:=org:a.b").await;
    world.auth.add("7", ["1".to_owned()]);
    world.auth.add("a.b", ["2".to_owned()]);
    let first = Some(user("1"));
    assert_eq!(enter(&world, "collaboration", "proj-x", first.clone()).await, Ok("project.7".to_owned()));
    let reason = "not a member of the organisation".to_owned();
    assert_eq!(enter(&world, "chat", "general", first).await, Err((4004, reason)));
    assert_eq!(enter(&world, "chat", "general", Some(user("2"))).await, Ok("org.a=2Eb".to_owned()));
    let reason = "not a member of the project".to_owned();
    assert_eq!(enter(&world, "collaboration", "proj-x", Some(user("2"))).await, Err((4003, reason)));
    assert_eq!(enter(&world, "chat", "general", Some(admin())).await, Ok(String::new()));
}

pub(crate) async fn without_auth_nobody_is_a_member(place: Place) {
    let world = configured(place, "chat:eng-=org:acme").await;
    world.auth.add("acme", ["1".to_owned()]);
    world.auth.set(|state| state.away = true);
    let session = session("chat", "", Some(user("1")), &[("room_name", "eng-1")]);
    let request = OpenRequest { session: Some(session), ..OpenRequest::default() };
    assert!(world.call(&request).await.expect_err("a failure").is_unavailable());
    assert!(enters(&world, "general", None).await);
    world.auth.set(|state| state.away = false);
    assert!(enters(&world, "eng-1", Some(user("1"))).await);
}

/// A rule made over HTTP beats one of the configuration with its prefix.
pub(crate) async fn rules_are_made_and_removed_over_http(place: Place) {
    let world = configured(place, "chat:eng-=users:1;chat:=everyone").await;
    assert!(enters(&world, "eng-1", Some(user("1"))).await);
    let made = set(&world, "chat", "eng-", "users:2").await;
    assert_eq!((&made["source"], &made["in_force"]), (&json!("api"), &json!(true)));
    assert!(!enters(&world, "eng-1", Some(user("1"))).await);
    assert!(enters(&world, "eng-1", Some(user("2"))).await);
    let listed: Vec<_> = rules(&world)
        .await
        .iter()
        .map(|rule| format!("{} {} {} {}", rule["prefix"], rule["allow"], rule["source"], rule["in_force"]))
        .collect();
    assert_eq!(
        listed,
        [
            r#""eng-" "users:2" "api" true"#,
            r#""eng-" "users:1" "configuration" false"#,
            r#""" "everyone" "configuration" true"#,
        ]
    );
    // The same prefix again changes the same rule.
    let changed = set(&world, "chat", "eng-", "signed-in").await;
    assert_eq!(changed["id"], made["id"]);
    assert!(enters(&world, "eng-1", Some(user("3"))).await);
    let other = set(&world, "document", "eng-", "signed-in").await;
    assert_ne!(other["id"], made["id"]);

    assert_eq!(delete(&world, &made["id"]).await, 204);
    assert!(enters(&world, "eng-1", Some(user("1"))).await);
    assert!(!enters(&world, "eng-1", Some(user("2"))).await);
    for unknown in [&made["id"], &json!("x"), &json!(-1), &Value::Null] {
        assert_eq!(delete(&world, unknown).await, 404);
    }
    assert_eq!(rules(&world).await.len(), 3);
}

pub(crate) async fn what_is_no_rule_is_refused(place: Place) {
    let world = World::start(place).await;
    let without = |body: Value| put("", "", "").body(&body);
    for (ask, field) in [
        (put("room", "x", "everyone"), "area"),
        (put("chat", &"x".repeat(101), "everyone"), "prefix"),
        (put("chat", "a\0", "everyone"), "prefix"),
        (put("chat", "x", "nobody"), "allow"),
        (put("chat", "x", "org:"), "allow"),
        (without(json!({"area": "chat", "prefix": "x"})), "allow"),
        (without(json!({"area": "chat", "allow": "everyone"})), "prefix"),
        (without(json!({"area": "chat", "prefix": 7, "allow": "everyone"})), "prefix"),
    ] {
        let answer = world.ask(&ask).await;
        assert_eq!((answer.status, &answer.body["field"]), (422, &json!(field)), "{answer:?}");
    }
    assert_eq!(world.ask(&put("", "", "").bytes("{")).await.status, 400);
    assert!(rules(&world).await.is_empty());
}

/// Everyone's session in a room of that prefix ends; rooms that other rules decide are left alone.
pub(crate) async fn a_change_clears_the_rooms_that_it_is_about(place: Place) {
    let world = configured(place, "chat:eng-ops-=everyone").await;
    for name in ["eng-1", "eng-é", "eng-ops-1", "general"] {
        world.open_session(&at(name, name), &[]).await;
    }
    let mut live = world.listen(&room("eng-é")).await;
    let made = set(&world, "chat", "eng-", "signed-in").await;
    let event = live.next().await;
    let dismissal = event.dismissal.expect("a dismissal");
    assert_eq!((dismissal.user.as_str(), dismissal.code), ("", 1012));
    assert_eq!(dismissal.reason, "the rules of this room have changed");
    assert!(event.variants.is_empty() && event.offset > 0);

    // What changes nothing for anybody clears nothing.
    set(&world, "chat", "eng-", "signed-in").await;
    set(&world, "chat", "eng-ops-", "everyone").await;
    assert_eq!(delete(&world, &made["id"]).await, 204);
    until("the rooms are cleared again", async || cleared(&world, &room("eng-1")).await.len() == 2).await;
    assert_eq!(cleared(&world, &room("eng-é")).await.len(), 2);
    for name in ["eng-ops-1", "general"] {
        assert!(cleared(&world, &room(name)).await.is_empty(), "{name}");
    }
}

/// They have no frames that would tell, so that their event is nothing but the end of sessions.
pub(crate) async fn documents_are_cleared_too(place: Place) {
    let world = World::start(place).await;
    let document = |name: &str| Channel::new("document", &[name]).expect("a channel");
    for name in ["notes", "eng-1"] {
        world.open("document", None, &[("name", name)]).await;
    }
    set(&world, "document", "no", "signed-in").await;
    until("the document is cleared", async || cleared(&world, &document("notes")).await.len() == 1).await;
    assert!(cleared(&world, &document("eng-1")).await.is_empty());
}

/// A room's messages are for those who may enter it.
pub(crate) async fn history_is_for_those_who_may_enter(place: Place) {
    let world = configured(place, "chat:eng-=users:1").await;
    let list = |name: &str| Ask::new("chat.rooms.messages.list").parameter("room_name", name);
    assert_eq!(world.ask(&list("general")).await.status, 200);
    assert_eq!(world.ask(&list("eng-1")).await.status, 401);
    assert_eq!(world.ask(&list("eng-1").by(user("2"))).await.status, 403);
    assert_eq!(world.ask(&list("eng-1").by(user("1"))).await.status, 200);
    assert_eq!(world.ask(&list("eng-1").by(admin())).await.status, 200);
    set(&world, "chat", "gen", "users:1").await;
    assert_eq!(world.ask(&list("general").by(user("2"))).await.status, 403);
}

/// A gateway was cut off, and its connections counted out, when the rules of their room changed.
pub(crate) async fn whoever_is_counted_in_again_has_the_change_told(place: Place) {
    let world = World::start(place).await;
    world.open_session(&at("eng-2", "c"), &[]).await;
    set(&world, "chat", "eng-", "signed-in").await;
    // Who is there has been looked up by then.
    until("the others are told", async || !cleared(&world, &room("eng-2")).await.is_empty()).await;
    let request = EnterRequest { sessions: vec![at("eng-1", "a"), at("general", "b")] };
    until("it is told", async || {
        world.call(&request).await.expect("a reply");
        !cleared(&world, &room("eng-1")).await.is_empty()
    })
    .await;
    let told = cleared(&world, &room("eng-1")).await;
    world.call(&request).await.expect("a reply");
    assert_eq!(cleared(&world, &room("eng-1")).await, told);
    assert!(cleared(&world, &room("general")).await.is_empty());
}

pub(crate) async fn nobody_slips_in_while_rules_change(place: Place) {
    race(World::start(place).await).await;
}

pub(crate) async fn nobody_slips_in_beside_another_replica(place: Place) {
    race(World::start_with(place, 2, SettingsArgs::default()).await).await;
}

/// Many enter a room at the very moment in which its rules change: each is refused, or has an event
/// ahead that ends its session.
async fn race(world: World) {
    for round in 0..20 {
        let name = format!("room-{round}");
        let enter = async |number: u32| {
            let session = at(&name, &format!("connection-{round}-{number}"));
            match world.open_session(&session, &[]).await {
                Outcome::Accept(accept) => Some(accept.channels[0].offset),
                Outcome::Reject(_) => None,
            }
        };
        let (entered, _) = tokio::join!(join_all((0..10).map(enter)), set(&world, "chat", &name, "users:1"));
        let Some(latest) = entered.into_iter().flatten().max() else { continue };
        until("those who entered are sent away", async || {
            cleared(&world, &room(&name)).await.last().is_some_and(|offset| *offset > latest)
        })
        .await;
    }
}

pub(crate) async fn a_change_takes_effect_on_every_replica(place: Place) {
    let world = World::start_with(place, 2, settings("chat:eng-=users:1")).await;
    let list = || Ask::new("chat.rooms.messages.list").parameter("room_name", "eng-1").by(user("2"));
    for allow in ["users:2", "users:1", "users:2", "users:1"] {
        set(&world, "chat", "eng-", allow).await;
        let is_allowed = allow == "users:2";
        for _ in 0..10 {
            assert_eq!(enters(&world, "eng-1", Some(user("2"))).await, is_allowed);
        }
        let status = if is_allowed { 200 } else { 403 };
        for answer in join_all((0..10).map(async |_| world.ask(&list()).await)).await {
            assert_eq!(answer.status, status);
        }
    }
}
