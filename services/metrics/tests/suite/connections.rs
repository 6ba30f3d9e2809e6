//! Who is connected, and ending a connection (S0-06).

use carillon_contract::messages::ConnectionsRequest;
use carillon_testkit::service::{Ask, Place, until};
use serde_json::{Value, json};

use crate::{gateway::Gateway, world::World};

fn list() -> Ask {
    Ask::new("monitoring.connections.list")
}

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| item["id"].as_str().expect("an id")).collect()
}

/// Gateways that are known to be there.
async fn gateways<const N: usize>(world: &World) -> [Gateway; N] {
    let mut gateways = std::array::from_fn(|number| Gateway::new(&world.replicas.bus, number as u64 + 1));
    for gateway in &mut gateways {
        gateway.tell().await;
    }
    until("they were heard", async || {
        world.figures().await["gateways"].as_array().expect("gateways").len() == N
    })
    .await;
    gateways
}

pub(crate) async fn gateways_are_asked_together_and_pages_follow_each_other(place: Place) {
    let world = World::new(place).await;
    let [one, two] = gateways(&world).await;
    let ((_first, asked), (_second, _)) = (one.answer(3).await, two.answer(2).await);
    let all = world.ask(list()).await.ok();
    let (a, b) = (one.id.as_str(), two.id.as_str());
    let expected = [format!("{a}-0"), format!("{a}-1"), format!("{a}-2"), format!("{b}-0"), format!("{b}-1")];
    assert_eq!(
        (ids(&all), &all["count"], &all["next"]),
        (expected.iter().map(String::as_str).collect(), &json!(5), &Value::Null)
    );
    assert_eq!(all["unanswered"], json!([]));
    let first = &all["items"][0];
    assert_eq!(
        (&first["gateway"], &first["host"], &first["user_id"]),
        (&json!(a), &json!("host"), &json!(42))
    );
    assert_eq!((&first["username"], &first["dialect"]), (&Value::Null, &Value::Null));
    assert_eq!(first["connected_at"], "2025-01-27T12:30:45.123456Z");
    for limit in 1..=5 {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = world.ask(list().query("limit", limit).query("after", &after)).await.ok();
            assert_eq!(page["count"], 5);
            found.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else { break };
            assert_eq!(ids(&page).len(), limit);
            after = next.to_owned();
        }
        assert_eq!(found, expected, "pages of {limit}");
    }
    let of_two = world.ask(list().query("gateway", b)).await.ok();
    assert_eq!((ids(&of_two).len(), &of_two["count"]), (2, &json!(2)));
    let wanted = list().query("user", "7").query("address", "10.0.0.0/8").query("endpoint", "chat");
    world.ask(wanted.query("limit", 9)).await.ok();
    let (user, address, endpoint) = ("7".to_owned(), "10.0.0.0/8".to_owned(), "chat".to_owned());
    let last = asked.lock().expect("no panic").last().cloned().expect("a question");
    assert_eq!(last, ConnectionsRequest { user, address, endpoint, after: None, limit: 10 });
}

pub(crate) async fn who_does_not_answer_is_named(place: Place) {
    let world = World::new(place).await;
    let [one, two] = gateways(&world).await;
    let (_server, _) = two.answer(2).await;
    let page = world.ask(list()).await.ok();
    assert_eq!((ids(&page).len(), &page["count"]), (2, &json!(2)));
    assert_eq!(page["unanswered"], json!([one.id.as_str()]));
}

pub(crate) async fn what_makes_no_sense_is_refused(place: Place) {
    let world = World::new(place).await;
    for (name, value) in [
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "x"),
        ("after", "nonsense"),
        ("gateway", "*"),
        ("address", "somewhere"),
        ("endpoint", "nowhere"),
    ] {
        let answer = world.ask(list().query(name, value)).await;
        assert_eq!((answer.status, &answer.body["field"]), (422, &json!(name)), "{value}");
    }
}

pub(crate) async fn a_connection_is_ended_by_its_gateway(place: Place) {
    let world = World::new(place).await;
    let [one] = gateways(&world).await;
    let (_server, _) = one.answer(1).await;
    let end = async |connection: String| {
        let ask = Ask::new("monitoring.connections.disconnect");
        world.ask(ask.parameter("connection_id", connection)).await
    };
    let id = format!("{}-0", one.id);
    let expected = json!({"status": "disconnected", "id": id, "gateway": one.id.as_str(), "code": 4102, "reason": "gone"});
    assert_eq!(end(id).await.ok(), expected);
    for unknown in
        [format!("{}-1", one.id), "00000000000000ff-0".to_owned(), "nonsense".to_owned(), "*-1".to_owned()]
    {
        assert_eq!(end(unknown).await.status, 404);
    }
}
