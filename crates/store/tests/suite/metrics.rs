//! What Prometheus is told.

use std::time::Duration;

use carillon_instruments::Registry;
use tokio_util::sync::CancellationToken;

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
    let begun = find("carillon_store_begin_seconds").get_metric()[0].get_histogram().get_sample_count();
    assert!(begun >= 2, "{begun} transactions: the epoch's and the events'");
    assert_eq!(find("carillon_store_waiting").get_metric()[0].get_gauge().get_value(), 0.0);
    let kinds = find("carillon_store_failures_total").get_metric();
    assert!(kinds.len() == 3 && kinds.iter().all(|kind| kind.get_counter().get_value() == 0.0));
    let connections = find("carillon_store_connections").get_metric();
    assert!(connections.iter().map(|pool| pool.get_gauge().get_value()).sum::<f64>() >= 1.0);
}

pub(crate) async fn whether_the_database_answers_is_told(fresh: Fresh) {
    let (database, log) = fresh.log().await;
    let registry = Registry::new();
    database.register_metrics(&registry).unwrap();
    let figure = |name: &str| {
        let families = registry.gather();
        let family = families.iter().find(|family| family.name() == name).expect("a figure");
        let value = |metric: &carillon_instruments::Metric| {
            metric.get_gauge().get_value() + metric.get_counter().get_value()
        };
        family.get_metric().iter().map(value).sum::<f64>()
    };
    let told = async |up: f64| {
        let until = async {
            while figure("carillon_store_up") != up {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let shutdown = CancellationToken::new();
        let watching = log.watch(Duration::from_millis(20), &shutdown);
        tokio::time::timeout(Duration::from_secs(20), async {
            tokio::select! { () = until => {} () = watching => {} }
        })
        .await
        .expect("in time");
    };
    told(1.0).await;
    database.close().await;
    told(0.0).await;
    assert!(database.begin().await.is_err());
    assert_eq!(figure("carillon_store_failures_total"), 1.0);
}
