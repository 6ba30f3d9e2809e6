//! Whatever comes as a body is answered.

use carillon_contract::messages::Identity;
use carillon_testkit::service::{Ask, Place, admin, service};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use serde_json::{Map, Value, json};

use crate::{
    desk::{about, about_comment, ask, created, id, refusal, say, show, titled},
    world::{World, person},
};

/// What the bodies of all routes are made of, and what is in none of them.
const NAMES: [&str; 24] = [
    "title",
    "description",
    "status",
    "priority",
    "assignee",
    "labels",
    "due_date",
    "version",
    "message",
    "name",
    "color",
    "position",
    "type",
    "action",
    "data",
    "notify",
    "user_id",
    "user_ids",
    "id",
    "timestamp",
    "notification_type",
    "channel",
    "x",
    "",
];

/// Texts that mean something somewhere.
const TEXTS: [&str; 12] = [
    "",
    "x",
    "Open",
    "low",
    "2",
    "2026-01-31",
    "#1890ff",
    "ticket_update",
    "created",
    "deploy",
    "@bob @",
    "a\0b",
];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..5_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![prop::sample::select(&NAMES[..]).prop_map(str::to_owned), any::<String>()];
        let members = prop::collection::vec((name, inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// An object that is nearly what a route takes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
    let members = prop::collection::vec((name, value()), 0..5);
    let object = members.prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()));
    prop_oneof![
        4 => object.prop_map(|value| value.to_string().into_bytes()),
        1 => value().prop_map(|value| value.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..64),
    ]
}

/// With a success or with why not, and never with a fault of ours.
pub(crate) async fn no_body_is_too_much(place: Place) {
    let world = World::start(place).await;
    let ticket = titled(&world, "x").await;
    let said = say(&world, ticket, "1", "x").await;
    let routes: Vec<Ask> = vec![
        ask("tickets.create", "1"),
        about("tickets.update", ticket, "1"),
        about("comments.create", ticket, "1"),
        about_comment("comments.update", &said, "1"),
        ask("statuses.create", "1").by(admin()),
        ask("statuses.update", "1").by(admin()).parameter("status_id", 1),
        ask("events.publish", "1").by(service("s1", "events:publish")),
    ];
    let mut runner = TestRunner::new(Config::default());
    let body = body();
    for number in 0..400 {
        let bytes = body.new_tree(&mut runner).unwrap().current();
        for route in &routes {
            let mut ask = route.clone().bytes(bytes.clone());
            ask.0.request = format!("{number}");
            let reply = world.call(&ask.0).await.expect("a reply");
            let known = matches!(reply.status, 200 | 201 | 400 | 409 | 422);
            assert!(known, "{} {:?}: {}", route.0.route, String::from_utf8_lossy(&bytes), reply.status);
        }
    }
    assert_eq!(show(&world, ticket).await["ticket_id"], ticket);
    world.notified().await;
}

/// What a token calls its user is shown as it is, and keeps nobody from working.
pub(crate) async fn no_name_is_too_odd(place: Place) {
    let world = World::start(place).await;
    for name in ["a\0b", "\0", "", " ", "a\nb", "\u{202e}x", "'; DROP TABLE person; --", &"x".repeat(5_000)] {
        let odd = Identity { username: name.to_owned(), last_name: name.to_owned(), ..person("2") };
        let body = json!({"title": "x", "assignee": 3, "description": "@bob @x"});
        let ticket = created(world.ask(&ask("tickets.create", "2").by(odd).body(&body)).await);
        let expected = json!({"id": 2, "first_name": "Bob", "last_name": name, "username": name});
        assert_eq!(ticket["reporter"], expected);
        assert_eq!(show(&world, id(&ticket)).await, ticket);
    }
    // Who is nobody works on nothing.
    for user in ["", "a\0", "a\nb", &"x".repeat(256)] {
        let nobody = Identity { user: user.to_owned(), ..person("2") };
        let ask = ask("tickets.create", "2").by(nobody).body(&json!({"title": "x"}));
        assert_eq!(refusal(&world, &ask).await.0, 403);
    }
}
