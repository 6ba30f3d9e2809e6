//! What Prometheus is told about a service's database.

use carillon_contract::ServiceName;
use prometheus::{
    Gauge, Histogram, HistogramOpts, IntGauge, Opts, Registry,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use sqlx::AnyPool;

use crate::StoreError;

const SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
const ITEMS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 150.0, 200.0];

/// The collectors of one service's database, each labelled with the service.
#[derive(Debug)]
pub(crate) struct Metrics {
    service: ServiceName,
    /// From the first statement of an append to its last, locks included.
    pub(crate) append_seconds: Histogram,
    /// From the start of a shared transaction until it is committed.
    pub(crate) group_commit_seconds: Histogram,
    /// How many writes shared a transaction.
    pub(crate) group_commit_items: Histogram,
    /// What is owed to other services and not yet acknowledged.
    pub(crate) outbox_debts: IntGauge,
    /// How long the oldest of it has been owed.
    pub(crate) outbox_oldest_seconds: Gauge,
}

impl Metrics {
    pub(crate) fn new(service: ServiceName) -> Result<Self, StoreError> {
        let options = |name: &str, help: &str| {
            Opts::new(format!("carillon_store_{name}"), help).const_label("service", service.as_str())
        };
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            Histogram::with_opts(HistogramOpts::from(options(name, help)).buckets(buckets.to_vec()))
                .map_err(StoreError::other)
        };
        let gauge = |name: &str, help: &str| options(name, help);
        Ok(Self {
            service,
            append_seconds: histogram(
                "append_seconds",
                "Time to append events to the log within a transaction.",
                &SECONDS,
            )?,
            group_commit_seconds: histogram(
                "group_commit_seconds",
                "Time of a transaction that concurrent writes share, from start to commit.",
                &SECONDS,
            )?,
            group_commit_items: histogram("group_commit_items", "Writes that shared a transaction.", &ITEMS)?,
            outbox_debts: IntGauge::with_opts(gauge(
                "outbox_debts",
                "Messages owed to other services and not yet acknowledged.",
            ))
            .map_err(StoreError::other)?,
            outbox_oldest_seconds: Gauge::with_opts(gauge(
                "outbox_oldest_seconds",
                "For how long the oldest of them has been owed.",
            ))
            .map_err(StoreError::other)?,
        })
    }

    pub(crate) fn service(&self) -> ServiceName {
        self.service
    }

    pub(crate) fn register(
        &self,
        registry: &Registry,
        pools: Vec<(&'static str, AnyPool)>,
    ) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.append_seconds.clone()))?;
        registry.register(Box::new(self.group_commit_seconds.clone()))?;
        registry.register(Box::new(self.group_commit_items.clone()))?;
        registry.register(Box::new(self.outbox_debts.clone()))?;
        registry.register(Box::new(self.outbox_oldest_seconds.clone()))?;
        for (name, pool) in pools {
            registry.register(Box::new(PoolCollector::new(self.service, name, pool)?))?;
        }
        Ok(())
    }
}

/// Reads a pool when it is asked to.
struct PoolCollector {
    pool: AnyPool,
    open: IntGauge,
    busy: IntGauge,
}

impl PoolCollector {
    fn new(service: ServiceName, name: &str, pool: AnyPool) -> Result<Self, prometheus::Error> {
        let gauge = |metric: &str, help: &str| {
            IntGauge::with_opts(
                Opts::new(format!("carillon_store_{metric}"), help)
                    .const_label("service", service.as_str())
                    .const_label("pool", name),
            )
        };
        let open = gauge("connections", "Open connections to the database.")?;
        let busy = gauge("busy_connections", "Connections to the database that are in use.")?;
        Ok(Self { pool, open, busy })
    }
}

impl Collector for PoolCollector {
    fn desc(&self) -> Vec<&Desc> {
        [self.open.desc(), self.busy.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let open = i64::from(self.pool.size());
        let idle = i64::try_from(self.pool.num_idle()).unwrap_or(open);
        self.open.set(open);
        self.busy.set((open - idle).max(0));
        [self.open.collect(), self.busy.collect()].concat()
    }
}
