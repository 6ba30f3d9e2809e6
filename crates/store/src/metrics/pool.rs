//! The connections to a database, as its pools have them when they are asked.

use carillon_contract::ServiceName;
use carillon_instruments::{Collector, Desc, Error, IntGauge, MetricFamily, Opts};
use sqlx::AnyPool;

/// Reads a pool when it is asked to.
pub(super) struct PoolCollector {
    pool: AnyPool,
    open: IntGauge,
    busy: IntGauge,
    most: IntGauge,
}

impl PoolCollector {
    pub(super) fn new(service: ServiceName, name: &str, pool: AnyPool) -> Result<Self, Error> {
        let gauge = |metric: &str, help: &str| {
            IntGauge::with_opts(
                Opts::new(format!("carillon_store_{metric}"), help)
                    .const_label("service", service.as_str())
                    .const_label("pool", name),
            )
        };
        Ok(Self {
            pool,
            open: gauge("connections", "Open connections to the database.")?,
            busy: gauge("busy_connections", "Connections to the database that are in use.")?,
            most: gauge("max_connections", "Connections to the database that the pool may open.")?,
        })
    }
}

impl Collector for PoolCollector {
    fn desc(&self) -> Vec<&Desc> {
        [self.open.desc(), self.busy.desc(), self.most.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let open = i64::from(self.pool.size());
        let idle = i64::try_from(self.pool.num_idle()).unwrap_or(open);
        self.open.set(open);
        self.busy.set((open - idle).max(0));
        self.most.set(self.pool.options().get_max_connections().into());
        [self.open.collect(), self.busy.collect(), self.most.collect()].concat()
    }
}
