//! What Prometheus is told.

use prometheus::Registry;

use crate::{Fresh, fixture::fill};

pub(crate) async fn figures_are_registered_once_a_service(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let registry = Registry::new();
    database.register_metrics(&registry).unwrap();
    assert!(database.register_metrics(&registry).is_err());
    fill(&database, &log, "a", "x", 3).await;
    let families = registry.gather();
    assert!(families.iter().all(|family| family.name().starts_with("carillon_store_")));
    let find = |name: &str| families.iter().find(|family| family.name() == name).expect("a figure");
    let appends = find("carillon_store_append_seconds");
    assert_eq!(appends.get_metric()[0].get_histogram().get_sample_count(), 1);
    let connections = find("carillon_store_connections").get_metric();
    assert!(connections.iter().map(|pool| pool.get_gauge().get_value()).sum::<f64>() >= 1.0);
}
