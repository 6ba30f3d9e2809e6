//! What those counted who are gone for good becomes part of the totals.

use std::time::Duration;

use carillon_metrics::SettingsArgs;
use carillon_testkit::service::{Place, until};

use crate::{gateway::Gateway, world::World};

const FOLDED: &str = "carillon_metrics_folded_gateways_total";

/// Gateways are folded a second after their last word.
fn impatient() -> SettingsArgs {
    let second = Duration::from_secs(1);
    SettingsArgs { metrics_gateway_silence: second, metrics_fold_after: second }
}

async fn folded(world: &World, gateways: f64) {
    until("they are folded", async || world.replicas.counter(FOLDED) == gateways).await;
}

pub(crate) async fn what_is_folded_counts_as_before(place: Place) {
    let mut world = World::with(place, impatient()).await;
    let (mut one, mut other) = (Gateway::new(&world.replicas.bus, 1), Gateway::new(&world.replicas.bus, 2));
    one.count("chat", 5, 3, 10);
    one.count("counter", 1, 0, 1);
    one.tell().await;
    other.count("chat", 2, 2, 5);
    other.go().await;
    world.shows([0, 8, 8, 16, 32]).await;
    folded(&world, 2.0).await;
    world.keeps_showing([0, 8, 8, 16, 32]).await;
    assert_eq!(world.figures().await["gone"]["avg_connection_duration"], 2.5);
    let mut third = Gateway::new(&world.replicas.bus, 3);
    third.count("chat", 1, 1, 1);
    third.go().await;
    folded(&world, 3.0).await;
    world.replicas.stop(0).await;
    world.add().await;
    world.keeps_showing([0, 9, 9, 17, 34]).await;
}

/// A gateway that was out of hearing for so long: its connections are there again, and nothing is counted twice.
pub(crate) async fn what_is_said_after_that_is_not_added(place: Place) {
    let mut world = World::with(place, impatient()).await;
    let mut gateway = Gateway::new(&world.replicas.bus, 1);
    gateway.count("chat", 5, 3, 10);
    gateway.tell().await;
    folded(&world, 1.0).await;
    gateway.count("chat", 1, 0, 10);
    gateway.tell().await;
    world.shows([3, 5, 5, 10, 20]).await;
    world.keeps_showing([0, 5, 5, 10, 20]).await;
    world.replicas.stop(0).await;
    world.add().await;
    gateway.tell().await;
    world.keeps_showing([0, 5, 5, 10, 20]).await;
}

pub(crate) async fn replicas_fold_once(place: Place) {
    let mut world = World::with(place, impatient()).await;
    world.add().await;
    world.add().await;
    for number in 1..=20 {
        let mut gateway = Gateway::new(&world.replicas.bus, number);
        gateway.count("chat", 2, 1, 3);
        gateway.count("counter", 1, 0, 1);
        gateway.tell().await;
    }
    folded(&world, 20.0).await;
    world.keeps_showing([0, 60, 60, 80, 160]).await;
}
