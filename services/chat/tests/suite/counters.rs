//! Counters (S2-06, S2-07).

use std::collections::BTreeSet;

use carillon_chat::SettingsArgs;
use carillon_contract::{Channel, messages::Session};
use carillon_testkit::service::{Ask, Place, json_of, service, session, user};
use serde_json::{Value, json};

use crate::world::{World, accepted};

const LARGEST: i64 = 9_007_199_254_740_991;

fn channel(name: &str) -> Channel {
    Channel::new("counter", &[name]).expect("a channel")
}

/// A connection at a counter.
fn at(name: &str, connection: &str) -> Session {
    let session = match name {
        "global" => session("counter", "", None, &[]),
        name => session("named-counter", "", None, &[("name", name)]),
    };
    Session { connection: connection.to_owned(), ..session }
}

fn by(action: &str, value: i64) -> Value {
    json!({"action": action, "value": value})
}

fn update(name: &str, body: &Value) -> Ask {
    Ask::new("counter.update").by(service("s1", "counter:update")).parameter("name", name).body(body)
}

async fn value(world: &World, name: &str) -> Value {
    world.ask(&Ask::new("counter.show").parameter("name", name)).await.ok()["counter"].clone()
}

async fn greeting(world: &World, session: &Session) -> Vec<Value> {
    let accept = accepted(world.open_session(session, &[]).await);
    accept.greeting.iter().map(|frame| serde_json::from_slice(frame).unwrap()).collect()
}

/// Checks that every update tells the sum of all up to it, in the order of the log, and gives the last one.
fn running_sum(events: &[carillon_contract::messages::Event]) -> i64 {
    let mut sum = 0;
    for event in events {
        let frame = json_of(event, "");
        if frame["type"] != "counter_update" {
            continue;
        }
        let value = frame["value"].as_i64().expect("a value");
        match frame["action"].as_str() {
            Some("increment") => sum += value,
            Some("decrement") => sum -= value,
            _ => sum = 0,
        }
        assert_eq!(frame["counter"], sum, "{frame}");
    }
    sum
}

/// S2-06: the first frame carries the value, the second the number of users.
pub(crate) async fn the_first_frame_carries_the_value(place: Place) {
    let world = World::start(place).await;
    let first = at("global", "a");
    assert_eq!(
        greeting(&world, &first).await,
        [
            json!({"type": "counter_update", "counter": 0, "message": "Connected to counter"}),
            json!({"type": "user_count_update", "count": 1}),
        ]
    );
    world.frame(&first, 1, &by("increment", 5)).await;
    let told = greeting(&world, &at("global", "b")).await;
    assert_eq!((&told[0]["counter"], &told[1]["count"]), (&json!(5), &json!(2)));
    let elsewhere = greeting(&world, &at("visits", "c")).await;
    assert_eq!((&elsewhere[0]["counter"], &elsewhere[1]["count"]), (&json!(0), &json!(1)));
    // The plain counter is the one of that name.
    let named = session("named-counter", "", None, &[("name", "global")]);
    assert_eq!(greeting(&world, &named).await[0]["counter"], 5);
}

/// S2-06: everyone, its sender too, hears each update with the new total.
pub(crate) async fn an_update_reaches_everyone_with_the_new_total(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(&channel("global")).await;
    let client = at("global", "a");
    for (number, (frame, action, value, total)) in [
        (by("increment", 1), "increment", 1, 1),
        (by("decrement", 3), "decrement", 3, -2),
        (json!({"action": "increment"}), "increment", 1, -1),
        (by("increment", -4), "increment", -4, -5),
        (by("reset", 9), "reset", 0, 0),
        (json!({"action": "increment", "value": 5.0}), "increment", 5, 5),
    ]
    .into_iter()
    .enumerate()
    {
        assert!(world.frame(&client, number as u64 + 1, &frame).await.is_empty());
        let event = live.next().await;
        let mut heard = json_of(&event, "");
        assert!(heard["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{heard}");
        heard.as_object_mut().unwrap().remove("timestamp");
        let expected = json!({"type": "counter_update", "action": action, "value": value, "counter": total});
        assert_eq!(heard, expected);
        assert_eq!((event.except_connection.as_str(), event.offset), ("", number as u64 + 1));
    }
}

/// What is wrong is named; nothing has changed, and the connection stays.
pub(crate) async fn what_is_no_update_is_refused(place: Place) {
    let world = World::start(place).await;
    let client = at("global", "a");
    world.frame(&client, 1, &by("increment", LARGEST)).await;
    let beyond = "The counter stays between -9007199254740991 and 9007199254740991";
    let value = "Invalid value (a whole number from -9007199254740991 to 9007199254740991)";
    for (number, (payload, message)) in [
        ("{".to_owned(), "Invalid JSON format"),
        ("5".to_owned(), "Invalid message format"),
        (json!({"action": "double"}).to_string(), "Invalid message format"),
        (json!({"action": "increment", "value": "1"}).to_string(), value),
        (by("increment", LARGEST + 1).to_string(), value),
        (by("increment", 1).to_string(), beyond),
        (by("decrement", -1).to_string(), beyond),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = world.frame_bytes(&client, number as u64 + 2, payload.into_bytes()).await;
        let frame: Value = serde_json::from_slice(&reply.frames[0]).unwrap();
        assert_eq!((&frame["type"], &frame["message"]), (&json!("error"), &json!(message)));
        assert_eq!(reply.close, None);
    }
    assert_eq!(running_sum(&world.history(&channel("global")).await), LARGEST);
    world.frame(&client, 99, &by("decrement", 1)).await;
    assert_eq!(self::value(&world, "global").await, LARGEST - 1);
}

/// A frame that the gateway repeats, to whichever replica, is one update.
pub(crate) async fn a_repeated_frame_is_one_update(place: Place) {
    let world = World::start(place).await;
    let client = at("global", "a");
    for number in [1, 1, 2, 1, 2] {
        assert!(world.frame(&client, number, &by("increment", 2)).await.is_empty());
    }
    world.frame(&at("global", "b"), 1, &by("increment", 2)).await;
    world.frame(&at("visits", "a"), 1, &by("increment", 2)).await;
    assert_eq!(value(&world, "global").await, 6);
    assert_eq!(value(&world, "visits").await, 2);
    assert_eq!(world.history(&channel("global")).await.len(), 3);
}

/// S2-06: users are counted once each, however many connections they have.
pub(crate) async fn coming_and_going_changes_the_count(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(&channel("global")).await;
    let of = |connection: &str| Session {
        connection: connection.to_owned(),
        ..session("counter", "", Some(user("1")), &[])
    };
    let (tab, other_tab, anonymous) = (of("a"), of("b"), at("global", "c"));
    world.open_session(&tab, &[]).await;
    assert_eq!(live.json().await, json!({"type": "user_count_update", "count": 1}));
    world.open_session(&other_tab, &[]).await;
    world.open_session(&anonymous, &[]).await;
    assert_eq!(live.json().await["count"], 2);
    world.close(&tab, false).await;
    world.close(&other_tab, false).await;
    assert_eq!(live.json().await["count"], 1);
    world.close(&anonymous, false).await;
    assert_eq!(live.json().await["count"], 0);
}

/// S2-07
pub(crate) async fn a_back_end_changes_a_counter(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(&channel("visits")).await;
    let answer = world.ask(&update("visits", &by("increment", 5))).await.ok();
    assert_eq!(answer, json!({"counter": 5, "offset": 1}));
    assert_eq!(live.json().await["counter"], 5);
    let show = world.ask(&Ask::new("counter.show").parameter("name", "visits")).await.ok();
    assert_eq!(show, json!({"name": "visits", "counter": 5}));
    assert_eq!(value(&world, "nobody's").await, 0);

    // The same key again is the same update, with its answer of then.
    let keyed = || update("visits", &by("increment", 2)).key("k");
    assert_eq!(world.ask(&keyed()).await.ok(), json!({"counter": 7, "offset": 2}));
    world.ask(&update("visits", &by("increment", 1))).await.ok();
    assert_eq!(world.ask(&keyed()).await.ok(), json!({"counter": 7, "offset": 2}));
    assert_eq!(world.ask(&update("visits", &by("increment", 3)).key("k")).await.status, 409);
    assert_eq!(value(&world, "visits").await, 8);

    for (body, field) in [
        (json!({"action": "double"}), "action"),
        (json!({}), "action"),
        (json!({"action": "increment", "value": 0.5}), "value"),
        (json!({"action": "increment", "value": LARGEST + 1}), "value"),
    ] {
        let answer = world.ask(&update("visits", &body)).await;
        assert_eq!((answer.status, &answer.body["field"]), (422, &json!(field)), "{body}");
    }
    assert_eq!(world.ask(&update("visits", &json!({})).bytes("{")).await.status, 400);
    assert_eq!(world.ask(&update("visits", &by("increment", LARGEST))).await.status, 409);
    let long = update(&"x".repeat(101), &by("increment", 1));
    assert_eq!(world.ask(&long).await.body["field"], "name");
    assert_eq!(world.ask(&update(&"é".repeat(100), &by("increment", 1))).await.ok()["counter"], 1);
    assert_eq!(value(&world, "visits").await, 8);
}

/// S2-06: no update is lost or applied twice under concurrency.
pub(crate) async fn a_hundred_clients_at_once_lose_no_update(place: Place) {
    crowd(World::start(place).await, 20).await;
}

pub(crate) async fn two_replicas_lose_no_update(place: Place) {
    crowd(World::start_with(place, 2, SettingsArgs::default()).await, 100).await;
}

/// A hundred clients, each with so many updates of two counters; every third frame is repeated at once,
/// as by a gateway that gave up on one replica and asks the other.
async fn crowd(world: World, updates: u64) {
    const CLIENTS: u64 = 100;
    let client = async |number: u64| {
        for update in 1..=updates {
            let name = if update.is_multiple_of(10) { "other" } else { "global" };
            let session = at(name, &format!("connection-{number}"));
            let frame = match update % 3 {
                0 => by("decrement", 1),
                _ => by("increment", 3),
            };
            if update % 3 == 1 {
                let (first, second) = tokio::join!(
                    world.frame(&session, update, &frame),
                    world.frame(&session, update, &frame)
                );
                assert!(first.is_empty() && second.is_empty());
            } else {
                assert!(world.frame(&session, update, &frame).await.is_empty());
            }
        }
    };
    futures_util::future::join_all((0..CLIENTS).map(client)).await;
    let sum = |name: &str| {
        let of = |update: &u64| update.is_multiple_of(10) == (name == "other");
        let by = |update: u64| if update.is_multiple_of(3) { -1 } else { 3 };
        (1..=updates).filter(of).map(by).sum::<i64>() * CLIENTS as i64
    };
    for name in ["global", "other"] {
        assert_eq!(value(&world, name).await, sum(name), "{name}");
        let events = world.history(&channel(name)).await;
        assert_eq!(running_sum(&events), sum(name));
        let offsets: BTreeSet<u64> = events.iter().map(|event| event.offset).collect();
        assert_eq!(offsets.len(), events.len());
    }
}
