use carillon_contract::Channel;
use serde_json::{Value, json};

use carillon_testkit::service::{Ask, Place, admin, json_of, service, user};

use crate::world::World;

fn send() -> Ask {
    Ask::new("notifications.send")
}

/// S2-08, S1-04, S3-01, S4-05.
pub(crate) async fn a_notification_is_stored_published_and_answered(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(Channel::user("7").expect("a channel")).await;
    let sent = json!({
        "title": "Ticket Assigned", "message": "You were assigned to PROJ-456", "priority": "high",
        "user_id": 7, "id": "ticket_123_assigned", "notification_type": "ticket_assigned",
        "timestamp": "2025-11-05T12:00:00Z", "ticket_id": 123, "data": {"a": [1.50]},
    });
    let by = service("s1", "notifications:send");
    let answer = world.ask(&send().by(by).body(&sent)).await.ok();
    assert_eq!(
        answer,
        json!({
            "status": "success", "message": "Notification sent", "id": 1, "recipients": 1,
            "data": {
                "title": "Ticket Assigned", "message": "You were assigned to PROJ-456", "priority": "high",
            },
        })
    );
    let event = live.next().await;
    assert_eq!((event.channel.as_str(), event.offset), ("user.7", 1));
    let frame = json_of(&event, "events");
    assert_eq!(frame["type"], "notification");
    assert_eq!(frame["priority"], "high");
    assert_eq!(frame["notification"]["id"], 1);
    assert_eq!(frame["notification"]["ticket_id"], 123);
    let ticketing = json_of(&event, "ticketing");
    assert_eq!(ticketing["type"], "notification_message");
    assert_eq!(ticketing["data"]["id"], "ticket_123_assigned");
    assert_eq!(ticketing["data"]["notification_id"], 1);
    // The inbox has what the frame had, and so has the log.
    let inbox = world.inbox("7").await;
    assert_eq!(inbox["items"], json!([frame["notification"]]));
    assert_eq!(world.history(&Channel::user("7").expect("a channel")).await, [event]);
}

/// S2-08: document 2's call, without a token and without a recipient.
pub(crate) async fn without_a_recipient_it_goes_to_everyone(place: Place) {
    let world = World::start(place).await;
    let mut live = world.listen(Channel::everyone()).await;
    let body = json!({"title": "Test", "message": "Hello!", "priority": "high"});
    let answer = world.ask(&send().body(&body)).await.ok();
    assert_eq!(answer["status"], "success");
    assert_eq!(answer["data"], body);
    assert_eq!(answer["id"], "everyone-1");
    let frame = live.json().await;
    assert_eq!(frame["title"], "Test");
    assert_eq!(frame["notification"]["id"], "everyone-1");
}

/// S2-08: whatever is wrong with a body, the document's own error body says it, with 400.
pub(crate) async fn bad_requests_get_the_documents_body(place: Place) {
    let world = World::start(place).await;
    for (body, message) in [
        ("", "Invalid JSON"),
        ("{\"title\":", "Invalid JSON"),
        ("[]", "The body must be a JSON object"),
        ("{}", "Title and message are required"),
        (r#"{"title":"t"}"#, "Title and message are required"),
        (r#"{"title":1,"message":"m"}"#, "title must be a string"),
        (r#"{"title":"t","message":"m","priority":"urgent"}"#, "priority must be low, normal or high"),
        (r#"{"title":"t","message":"m","user_id":{}}"#, "user_id must be an id"),
        (
            r#"{"title":"t","message":"m","user_id":1,"everyone":true}"#,
            "Only one of user_id, user_ids, org_id and everyone may be given",
        ),
    ] {
        let answer = world.ask(&send().by(admin()).bytes(body)).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.body, json!({"status": "error", "message": message}));
    }
    let key = "k".repeat(256);
    let long_key =
        world.ask(&send().by(admin()).body(&json!({"title": "t", "message": "m"})).key(&key)).await;
    assert_eq!((long_key.status, &long_key.body["status"]), (400, &json!("error")));
    let large = json!({"title": "t", "message": "m", "data": {"x": "x".repeat(65_536)}});
    let large = world.ask(&send().by(admin()).body(&large)).await;
    assert_eq!((large.status, &large.body["status"]), (413, &json!("error")));
    assert!(world.history(&Channel::everyone()).await.is_empty());
}

pub(crate) async fn who_may_not_send_is_told(place: Place) {
    let world = World::start(place).await;
    let to = |recipient: Value| {
        let mut body = json!({"title": "t", "message": "m"});
        body.as_object_mut().expect("an object").extend(recipient.as_object().expect("an object").clone());
        send().body(&body)
    };
    world.ask(&to(json!({"user_id": 1})).by(user("1"))).await.ok();
    for refused in [
        to(json!({"user_id": 1})),
        to(json!({"user_id": 2})).by(user("1")),
        to(json!({"user_ids": [1, 2]})).by(user("1")),
        to(json!({"org_id": "acme"})).by(user("1")),
        to(json!({})).by(user("1")),
        to(json!({"user_id": 1})).by(service("s1", "events:publish")),
    ] {
        let answer = world.ask(&refused).await;
        assert_eq!((answer.status, &answer.body["status"]), (403, &json!("error")), "{refused:?}");
    }
    assert!(world.history(&Channel::user("2").expect("a channel")).await.is_empty());
}

pub(crate) async fn several_users_get_their_own(place: Place) {
    let world = World::start(place).await;
    world.send_many("b", 2).await;
    let answer = world.send(&json!({"title": "t", "message": "m", "user_ids": ["a", "b", "b", 3]})).await;
    assert_eq!(answer["recipients"], 3);
    assert_eq!(answer.get("id"), None);
    for (id, expected) in [("a", 1), ("b", 3), ("3", 1)] {
        let inbox = world.inbox(id).await;
        assert_eq!(inbox["items"][0]["id"], expected);
        assert_eq!(inbox["items"][0].get("user_ids"), None);
    }
}

pub(crate) async fn an_organisation_s_members_get_their_own(place: Place) {
    let world = World::start(place).await;
    world.auth.add("acme", (0..25).map(|number| format!("member-{number}")));
    world.auth.add("empty", []);
    world.auth.set(|state| state.page = Some(10));
    let body = |org: &str| json!({"title": "t", "message": "m", "org_id": org});
    assert_eq!(world.send(&body("acme")).await["recipients"], 25);
    assert_eq!(world.send(&body("empty")).await["recipients"], 0);
    for number in 0..25 {
        assert_eq!(world.unread(&format!("member-{number}")).await, 1);
    }
    let unknown = world.ask(&send().by(admin()).body(&body("nowhere"))).await;
    assert_eq!((unknown.status, &unknown.body["status"]), (404, &json!("error")));
}

pub(crate) async fn figures_are_kept(place: Place) {
    let world = World::start(place).await;
    world.send_many("1", 2).await;
    world.send(&json!({"title": "t", "message": "m"})).await;
    let families = world.metrics();
    let sent = families.iter().find(|family| family.name() == "carillon_notification_sent_total");
    let mut counts: Vec<_> = sent
        .expect("a counter")
        .get_metric()
        .iter()
        .map(|metric| (metric.get_label()[0].value().to_owned(), metric.get_counter().get_value()))
        .collect();
    counts.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(counts, [("everyone".to_owned(), 1.0), ("user".to_owned(), 2.0)]);
}
