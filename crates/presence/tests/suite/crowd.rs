//! A crowd that reconnects.

use carillon_instruments::Registry;
use carillon_testkit::service::Place;
use futures_util::future::join_all;

use crate::world::{World, entries};

const A: &str = "room.a";

/// What a figure of this name counts, over all its labels.
pub(crate) fn figure(registry: &Registry, name: &str) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == name).expect("the figure");
    let value = |metric: &carillon_instruments::Metric| {
        metric.get_counter().get_value() + metric.get_histogram().get_sample_count() as f64
    };
    family.get_metric().iter().map(value).sum()
}

pub(crate) async fn it_shares_transactions(place: Place) {
    const CROWD: usize = 800;
    let (world, registry) = (World::start(place).await, Registry::new());
    world.database.register_metrics(&registry).unwrap();
    world.replicas[0].register_metrics(&registry).unwrap();
    let come = (0..CROWD).map(|number| {
        let connection = format!("g{}:{number}", number % 5);
        let own = format!("room.of-{number}");
        let entries = entries(&connection, &format!("m{}", number / 2), &[A, &own]);
        world.replicas[0].enter(entries)
    });
    assert!(join_all(come).await.iter().all(Result::is_ok));
    assert_eq!(world.announced(A).await.len(), CROWD / 2);
    assert_eq!(world.rows("SELECT members FROM presence_topic WHERE topic = 'room.a'").await, [["400"]]);
    let transactions = figure(&registry, "carillon_store_group_commit_seconds");
    assert!(transactions < CROWD as f64 / 10.0, "{transactions} transactions");
    assert_eq!(figure(&registry, "carillon_presence_transitions_total"), (CROWD / 2 + CROWD) as f64);
}
