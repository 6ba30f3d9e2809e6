use carillon_contract::{
    Channel,
    messages::{Accept, OpenRequest, open_reply::Outcome},
};
use serde_json::{Value, json};

use carillon_testkit::service::{Place, admin, session, user};

use crate::world::World;

fn accepted(outcome: Outcome) -> (Value, Accept) {
    match outcome {
        Outcome::Accept(accept) => {
            let [greeting] = &accept.greeting[..] else { panic!("{accept:?}") };
            (serde_json::from_slice(greeting).expect("JSON"), accept)
        }
        Outcome::Reject(close) => panic!("{close:?}"),
    }
}

fn code(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::Reject(close) => close.code,
        Outcome::Accept(accept) => panic!("{accept:?}"),
    }
}

/// S1-01, S2-04, S3-01: each document's own greeting, with the id as a number where it is one.
pub(crate) async fn each_dialect_has_its_greeting(place: Place) {
    let world = World::start(place).await;
    let greeting = async |dialect: &str, id: &str| {
        accepted(world.open("notifications", dialect, Some(user(id)), &[]).await).0
    };
    assert_eq!(
        greeting("events", "test-user-123").await,
        json!({
            "type": "connection.established", "message": "Connected to notifications",
            "user_id": "test-user-123",
        })
    );
    let rooms = greeting("rooms", "7").await;
    assert_eq!(rooms["type"], "connection_status");
    assert_eq!(rooms["status"], "connected");
    assert_eq!(rooms["message"], "Successfully connected to notifications");
    assert!(rooms["timestamp"].as_str().expect("a time").ends_with('Z'));
    let ticketing = greeting("ticketing", "7").await;
    assert_eq!(ticketing["type"], "connection_established");
    assert_eq!(ticketing["user_id"], 7);
}

/// S2-04.
pub(crate) async fn an_anonymous_client_hears_what_everyone_hears(place: Place) {
    let world = World::start(place).await;
    let (greeting, accept) = accepted(world.open("notifications", "events", None, &[]).await);
    assert_eq!(greeting["user_id"], Value::Null);
    let channels: Vec<_> = accept.channels.iter().map(|head| head.channel.as_str()).collect();
    assert_eq!(channels, ["everyone"]);
    assert_eq!(code(world.open("user-notifications", "events", None, &[("user_id", "1")]).await), 4003);
    assert_eq!(code(world.open("events", "", None, &[("org_id", "acme")]).await), 4001);
}

pub(crate) async fn heads_are_told_in_the_endpoints_order(place: Place) {
    let world = World::start(place).await;
    world.send(&json!({"title": "t", "message": "m"})).await;
    world.send_many("1", 3).await;
    let (_, accept) = accepted(world.open("notifications", "events", Some(user("1")), &[]).await);
    let heads: Vec<_> = accept.channels.iter().map(|head| (head.channel.as_str(), head.offset)).collect();
    assert_eq!(heads, [("everyone", 1), ("user.1", 3)]);
    let events = world.history(&Channel::user("1").expect("a channel")).await;
    assert_eq!(events[0].epoch, accept.epoch);
}

/// S4-02, S4-06: someone else's are refused with 4005.
pub(crate) async fn only_the_user_itself_hears_its_notifications(place: Place) {
    let world = World::start(place).await;
    let open = async |id: &str| {
        world.open("user-notifications", "events", Some(user("7")), &[("user_id", id)]).await
    };
    assert_eq!(accepted(open("7").await).0["user_id"], 7);
    assert_eq!(code(open("8").await), 4005);
    assert_eq!(code(open("07").await), 4005);
}

/// S1-02, S1-07: members of the organisation and admins; anyone else gets 4003.
pub(crate) async fn members_and_admins_hear_an_organisation(place: Place) {
    let world = World::start(place).await;
    let org = "123e4567-e89b-12d3-a456-426614174000";
    world.auth.add(org, ["1".to_owned()]);
    let open = async |identity, org: &str| world.open("events", "", Some(identity), &[("org_id", org)]).await;
    let (greeting, accept) = accepted(open(user("1"), org).await);
    assert_eq!(
        greeting,
        json!({
            "type": "connection.established", "message": "Connected to organization events",
            "org_id": org, "user_id": 1,
        })
    );
    assert_eq!(accept.channels.len(), 1);
    accepted(open(admin(), org).await);
    assert_eq!(code(open(user("3"), org).await), 4003);
    assert_eq!(code(open(user("1"), "nowhere").await), 4003);
    assert_eq!(code(open(admin(), "nowhere").await), 4003);
    assert_eq!(code(open(admin(), &"é".repeat(2_000)).await), 4003);
    let unknown = OpenRequest { session: Some(session("x", "", None, &[])), ..OpenRequest::default() };
    assert!(world.call(&unknown).await.is_err());
}
