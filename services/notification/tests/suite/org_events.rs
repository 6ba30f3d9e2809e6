use carillon_contract::{Channel, messages::PublishEventRequest};
use serde_json::{Value, json};

use carillon_testkit::service::{Ask, Place, service};

use crate::world::World;

fn publish(org: &str, body: &Value) -> Ask {
    Ask::new("orgs.events.publish").by(service("s1", "events:publish")).parameter("org_id", org).body(body)
}

fn channel() -> Channel {
    Channel::org("acme").expect("a channel")
}

/// S1-04, S1-15.
pub(crate) async fn an_event_is_published_with_every_field(place: Place) {
    let world = World::start(place).await;
    world.auth.add("acme", []);
    let mut live = world.listen(channel()).await;
    let body = json!({"event_type": "resource.created", "data": {"resource_id": "res-123"}, "actor": 7});
    let answer = world.ask(&publish("acme", &body)).await.ok();
    assert_eq!(answer, json!({"status": "success", "offset": 1}));
    let mut expected = body.clone();
    expected["type"] = json!("event");
    assert_eq!(live.json().await, expected);
    assert_eq!(world.ask(&publish("acme", &json!({"event_type": "own.type"}))).await.ok()["offset"], 2);
}

pub(crate) async fn bad_events_are_refused(place: Place) {
    let world = World::start(place).await;
    world.auth.add("acme", []);
    let event = json!({"event_type": "x"});
    assert_eq!(world.ask(&publish("nowhere", &event)).await.status, 404);
    assert_eq!(world.ask(&publish("acme", &event).bytes("{")).await.status, 400);
    for (body, field) in [
        (json!({}), "event_type"),
        (json!({"event_type": ""}), "event_type"),
        (json!({"event_type": 7}), "event_type"),
        (json!({"event_type": "x", "data": "x"}), "data"),
        (json!({"event_type": "x", "channel": "user.1"}), "channel"),
    ] {
        let answer = world.ask(&publish("acme", &body)).await;
        assert_eq!((answer.status, &answer.body["field"]), (422, &json!(field)), "{body}");
    }
    assert!(world.history(&channel()).await.is_empty());
}

pub(crate) async fn an_event_is_published_once(place: Place) {
    let world = World::start(place).await;
    world.auth.add("acme", []);
    let event = json!({"event_type": "x", "data": {"a": 1}});
    let ask = publish("acme", &event);
    assert_eq!(world.ask(&ask).await.ok()["offset"], 1);
    assert_eq!(world.ask(&ask).await.ok()["offset"], 1);
    assert_eq!(world.ask(&publish("acme", &event).key("k")).await.ok()["offset"], 2);
    assert_eq!(world.ask(&publish("acme", &event).key("k")).await.ok()["offset"], 2);
    let other = json!({"event_type": "x", "data": {"a": 2}});
    assert_eq!(world.ask(&publish("acme", &other).key("k")).await.status, 409);
    assert_eq!(world.history(&channel()).await.len(), 2);
}

pub(crate) async fn another_service_publishes(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(channel()).await;
    let request = PublishEventRequest {
        org: "acme".to_owned(),
        event_type: "member.joined".to_owned(),
        data: r#"{"user_id":7}"#.into(),
        cause: "membership-1".to_owned(),
    };
    assert_eq!(world.call(&request).await.expect("a reply").offset, 1);
    assert_eq!(world.call(&request).await.expect("a reply").offset, 1);
    assert_eq!(
        live.json().await,
        json!({"type": "event", "event_type": "member.joined", "data": {"user_id": 7}})
    );
    for bad in [
        PublishEventRequest { cause: String::new(), ..request.clone() },
        PublishEventRequest { org: String::new(), ..request.clone() },
        PublishEventRequest { data: "[]".into(), ..request.clone() },
        PublishEventRequest { event_type: "another".to_owned(), ..request.clone() },
    ] {
        assert!(world.call(&bad).await.is_err(), "{bad:?}");
    }
    assert_eq!(world.history(&channel()).await.len(), 1);
}
