//! Listening to a project's tickets (S3-02): who may, and what a newcomer is told.

use carillon_contract::messages::{Identity, OpenRequest};
use carillon_testkit::service::{Place, admin, service, session};
use serde_json::{Value, json};

use crate::{
    desk::titled,
    world::{World, accepted, channel, person, refused},
};

async fn refusal(world: &World, project: &str, identity: Option<Identity>) -> (u32, String) {
    refused(world.open("tickets", identity, &[("project_id", project)]).await)
}

/// The greeting names project and user, and the place in the log from which events follow.
pub(crate) async fn a_member_is_greeted(place: Place) {
    let world = World::start(place).await;
    for identity in [person("1"), admin()] {
        let user: u64 = identity.user.parse().unwrap();
        let accept = accepted(world.open("tickets", Some(identity), &[("project_id", "1")]).await);
        let greeting: Vec<Value> =
            accept.greeting.iter().map(|frame| serde_json::from_slice(frame).unwrap()).collect();
        let expected = json!({
            "type": "connection_established", "message": "Connected to project tickets",
            "project_id": 1, "user_id": user,
        });
        assert_eq!(greeting, [expected]);
    }
    titled(&world, "First").await;
    let accept = accepted(world.open("tickets", Some(person("2")), &[("project_id", "1")]).await);
    let heads: Vec<_> = accept.channels.iter().map(|head| (head.channel.as_str(), head.offset)).collect();
    assert_eq!(heads, [("project.1.tickets", 1)]);
    assert!(!accept.epoch.is_empty());
    assert_eq!(world.told(&channel("1", "tickets")).await.len(), 1);
}

/// 4003 for who is no member, 4004 for a project that isn't there.
pub(crate) async fn who_may_not_listen_is_turned_away(place: Place) {
    let world = World::start(place).await;
    for identity in [person("6"), person("nobody"), service("s1", "events:publish")] {
        assert_eq!(refusal(&world, "1", Some(identity)).await.0, 4003);
    }
    for project in ["9", "", "a\0b", "project.1", "1/2"] {
        assert_eq!(refusal(&world, project, Some(person("1"))).await.0, 4004, "{project:?}");
        assert_eq!(refusal(&world, project, Some(admin())).await.0, 4004, "{project:?}");
    }
    let missing = refusal(&world, "1", None).await.0;
    assert!((4000..4100).contains(&missing) && missing != 4003 && missing != 4004, "{missing}");
}

/// What is told is told there; nothing is said by clients.
pub(crate) async fn nothing_is_said_here(place: Place) {
    let world = World::start(place).await;
    let session = session("tickets", "", Some(person("1")), &[("project_id", "1")]);
    accepted(world.open_session(&session, &[]).await);
    for (number, frame) in [json!({"type": "ticket_update"}), json!([]), json!("x")].iter().enumerate() {
        let replies = world.frame(&session, number as u64 + 1, frame).await;
        assert_eq!(replies.len(), 1);
        assert_eq!((&replies[0]["type"], replies[0]["code"].is_string()), (&json!("error"), true));
    }
    world.close(&session, false).await;
    assert_eq!(world.told(&channel("1", "tickets")).await, [] as [Value; 0]);
}

/// Without auth nobody is let in, and nobody is told that it may not.
pub(crate) async fn without_auth_it_says_to_come_back(place: Place) {
    let world = World::start(place).await;
    world.auth.set(|state| state.away = true);
    let session = Some(session("tickets", "", Some(person("1")), &[("project_id", "1")]));
    let request = OpenRequest { session, ..OpenRequest::default() };
    assert!(world.call(&request).await.expect_err("a failure").is_unavailable());
    world.auth.set(|state| state.away = false);
    world.call(&request).await.expect("a reply");
}
