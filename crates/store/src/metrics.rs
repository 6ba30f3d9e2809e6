//! What Prometheus is told about a service's database.

mod pool;

use std::{future::Future, time::Duration};

use carillon_contract::ServiceName;
use carillon_instruments::{Error, Gauge, Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry};
use sqlx::AnyPool;

use crate::{OutboxDepth, StoreError};
use pool::PoolCollector;

const SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
const ITEMS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 150.0, 200.0];

/// The collectors of one service's database, each labelled with the service.
#[derive(Debug)]
pub(crate) struct Metrics {
    service: ServiceName,
    /// Whether the database answered when it was last asked.
    pub(crate) up: IntGauge,
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
    begin_seconds: Histogram,
    waiting: IntGauge,
    failures: IntCounterVec,
}

impl Metrics {
    pub(crate) fn new(service: ServiceName) -> Result<Self, Error> {
        let options = |name: &str, help: &str| {
            Opts::new(format!("carillon_store_{name}"), help).const_label("service", service.as_str())
        };
        let gauge = |name: &str, help: &str| IntGauge::with_opts(options(name, help));
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            Histogram::with_opts(HistogramOpts::from(options(name, help)).buckets(buckets.to_vec()))
        };
        let metrics = Self {
            service,
            up: gauge(
                "up",
                "Whether the database answered when it was last asked, every two seconds (1 or 0).",
            )?,
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
            outbox_debts: gauge("outbox_debts", "Messages owed to other services and not yet acknowledged.")?,
            outbox_oldest_seconds: Gauge::with_opts(options(
                "outbox_oldest_seconds",
                "For how long the oldest of them has been owed.",
            ))?,
            begin_seconds: histogram(
                "begin_seconds",
                "Time to get a connection from the pool and begin a transaction.",
                &SECONDS,
            )?,
            waiting: gauge("waiting", "Transactions that wait for a connection or their turn to write.")?,
            failures: IntCounterVec::new(
                options(
                    "failures_total",
                    "Transactions that could not begin, and shared ones that failed, by kind.",
                ),
                &["kind"],
            )?,
        };
        // Known from the start: what appears with its first failure has not grown by it.
        let _ = ["unavailable", "conflict", "other"].map(|kind| metrics.failures.with_label_values(&[kind]));
        Ok(metrics)
    }

    pub(crate) fn service(&self) -> ServiceName {
        self.service
    }

    /// Waits for a transaction to begin, and counts that.
    pub(crate) async fn beginning<T>(
        &self,
        begin: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        let _waiting = Waiting::one(&self.waiting);
        let _timer = self.begin_seconds.start_timer();
        begin.await.map_err(StoreError::from).inspect_err(|error| self.failed(error))
    }

    /// A transaction failed.
    pub(crate) fn failed(&self, error: &StoreError) {
        let kind = match error {
            StoreError::Unavailable(_) => "unavailable",
            StoreError::Conflict(_) => "conflict",
            StoreError::Other(_) => "other",
        };
        self.failures.with_label_values(&[kind]).inc();
    }

    /// What was owed when it was last measured.
    pub(crate) fn outbox(&self) -> OutboxDepth {
        let oldest = Duration::try_from_secs_f64(self.outbox_oldest_seconds.get()).unwrap_or_default();
        OutboxDepth {
            count: u64::try_from(self.outbox_debts.get()).unwrap_or_default(),
            oldest: (!oldest.is_zero()).then_some(oldest),
        }
    }

    pub(crate) fn register(
        &self,
        registry: &Registry,
        pools: Vec<(&'static str, AnyPool)>,
    ) -> Result<(), Error> {
        registry.register(Box::new(self.up.clone()))?;
        registry.register(Box::new(self.append_seconds.clone()))?;
        registry.register(Box::new(self.group_commit_seconds.clone()))?;
        registry.register(Box::new(self.group_commit_items.clone()))?;
        registry.register(Box::new(self.outbox_debts.clone()))?;
        registry.register(Box::new(self.outbox_oldest_seconds.clone()))?;
        registry.register(Box::new(self.begin_seconds.clone()))?;
        registry.register(Box::new(self.waiting.clone()))?;
        registry.register(Box::new(self.failures.clone()))?;
        for (name, pool) in pools {
            registry.register(Box::new(PoolCollector::new(self.service, name, pool)?))?;
        }
        Ok(())
    }
}

/// Counts one who waits, until it is dropped.
struct Waiting(IntGauge);

impl Waiting {
    fn one(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}
