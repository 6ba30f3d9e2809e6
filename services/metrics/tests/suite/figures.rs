//! Figures (S0-05, S0-10): what gateways tell, added up.

use std::time::Duration;

use carillon_contract::{GatewayId, Subject};
use carillon_metrics::SettingsArgs;
use carillon_testkit::service::{Ask, Place, until};
use serde_json::json;
use tokio::sync::Mutex;

use crate::{gateway::Gateway, world::World};

pub(crate) async fn gateways_add_up(place: Place) {
    let world = World::new(place).await;
    world.shows([0; 5]).await;
    let (mut one, mut other) = (Gateway::new(&world.replicas.bus, 1), Gateway::new(&world.replicas.bus, 2));
    one.count("chat", 5, 3, 10);
    one.count("counter", 1, 0, 2);
    other.count("chat", 4, 1, 100);
    one.tell().await;
    other.tell().await;
    world.shows([6, 10, 10, 112, 224]).await;
    let figures = world.figures().await;
    assert_eq!(figures["avg_connection_duration"], 2.5);
    assert_eq!(figures["messages_per_minute"], 112);
    let gateways = figures["gateways"].as_array().expect("gateways");
    let shown: Vec<_> =
        gateways.iter().map(|it| (&it["gateway"], &it["messages_sent"], &it["state"])).collect();
    let ids = [one.id.as_str(), other.id.as_str()].map(|id| json!(id));
    assert_eq!(shown, [(&ids[0], &json!(12), &json!("serving")), (&ids[1], &json!(100), &json!("serving"))]);
    let endpoints = figures["endpoints"].as_array().expect("endpoints");
    let shown: Vec<_> = endpoints.iter().map(|it| (&it["endpoint"], &it["active_connections"])).collect();
    assert_eq!(shown, [(&json!("chat"), &json!(5)), (&json!("counter"), &json!(1))]);
    assert_eq!(figures["gone"]["connections_total"], 0);
    assert_eq!(gateways[0]["slow_consumers"], 3);
}

/// Of the gateways, of the service, and of both.
pub(crate) async fn figures_survive_a_restart_and_count_once(place: Place) {
    let mut world = World::new(place).await;
    let (mut one, mut other) = (Gateway::new(&world.replicas.bus, 1), Gateway::new(&world.replicas.bus, 2));
    one.count("chat", 5, 3, 10);
    one.tell().await;
    other.count("chat", 2, 0, 1);
    other.tell().await;
    world.shows([4, 7, 7, 11, 22]).await;
    world.replicas.stop(0).await;
    one.count("chat", 0, 2, 5);
    one.go().await;
    world.add().await;
    // What the first said while nobody listened is lost, and nothing more will come; the second goes on.
    world.shows([0, 7, 7, 11, 22]).await;
    other.count("chat", 1, 0, 1);
    other.tell().await;
    world.keeps_showing([3, 8, 8, 12, 24]).await;
    let mut again = Gateway::new(&world.replicas.bus, 3);
    again.count("chat", 1, 0, 1);
    again.tell().await;
    world.keeps_showing([4, 9, 9, 13, 26]).await;
    assert_eq!(world.figures().await["gone"]["connections_total"], 5);
}

pub(crate) async fn the_order_of_reports_does_not_matter(place: Place) {
    let mut world = World::new(place).await;
    let mut gateway = Gateway::new(&world.replicas.bus, 1);
    gateway.count("chat", 1, 0, 1);
    let early = gateway.tell().await;
    gateway.count("chat", 1, 1, 1);
    let late = gateway.tell().await;
    gateway.say(&early).await;
    gateway.say(&late).await;
    world.keeps_showing([1, 2, 2, 2, 4]).await;
    // A replica that has heard nothing yet takes an old report for the latest: what is kept knows better.
    world.replicas.stop(0).await;
    world.add().await;
    gateway.say(&early).await;
    world.keeps_showing([1, 2, 2, 2, 4]).await;
}

pub(crate) async fn a_silent_gateway_is_gone_and_what_it_counted_stays(place: Place) {
    let settings =
        SettingsArgs { metrics_gateway_silence: Duration::from_millis(1_500), ..SettingsArgs::default() };
    let world = World::with(place, settings).await;
    let (mut one, mut other) = (Gateway::new(&world.replicas.bus, 1), Gateway::new(&world.replicas.bus, 2));
    one.count("chat", 5, 3, 10);
    other.count("chat", 4, 1, 100);
    one.tell().await;
    let other = Mutex::new(other);
    until("one is gone, and the other isn't", async || {
        other.lock().await.tell().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let figures = world.figures().await;
        let gateways = figures["gateways"].as_array().expect("gateways");
        gateways.len() == 1 && figures["gone"]["connections_total"] == 5
    })
    .await;
    other.lock().await.tell().await;
    world.shows([3, 9, 9, 110, 220]).await;
    one.tell().await;
    world.shows([5, 9, 9, 110, 220]).await;
}

pub(crate) async fn nonsense_on_the_bus_changes_nothing(place: Place) {
    let world = World::new(place).await;
    let mut gateway = Gateway::new(&world.replicas.bus, 1);
    let subject = Subject::telemetry(&GatewayId::from(2));
    world.replicas.bus.publish(&subject, "nonsense".into()).await.expect("published");
    gateway.count("chat", 1, 0, 1);
    gateway.tell().await;
    world.shows([1, 1, 1, 1, 2]).await;
    assert_eq!(world.ask(Ask::new("monitoring.nothing")).await.status, 404);
}

pub(crate) async fn replicas_that_hear_the_same_count_it_once(place: Place) {
    let mut world = World::new(place).await;
    world.add().await;
    let mut gateway = Gateway::new(&world.replicas.bus, 1);
    for round in 1..=5 {
        gateway.count("chat", 1, 0, 3);
        gateway.tell().await;
        world.shows([round, round, round, 3 * round, 6 * round]).await;
    }
    // Whichever of them is asked.
    world.keeps_showing([5, 5, 5, 15, 30]).await;
    gateway.count("chat", 0, 5, 0);
    gateway.go().await;
    world.shows([0, 5, 5, 15, 30]).await;
    world.replicas.stop(1).await;
    world.replicas.stop(0).await;
    world.add().await;
    world.keeps_showing([0, 5, 5, 15, 30]).await;
}

/// From its first answer on, with gateways that say something every second.
pub(crate) async fn a_new_replica_is_complete(place: Place) {
    let mut world = World::new(place).await;
    let mut gateway = Gateway::new(&world.replicas.bus, 1);
    gateway.count("chat", 5, 3, 10);
    let speaking = tokio::spawn(async move {
        loop {
            gateway.tell().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    world.shows([2, 5, 5, 10, 20]).await;
    world.replicas.stop(0).await;
    world.add().await;
    assert_eq!(crate::world::top(&world.figures().await), [2, 5, 5, 10, 20]);
    speaking.abort();
}
