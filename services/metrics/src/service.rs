//! The service as the bus sees it.

use carillon_contract::ServiceName;
use carillon_service::Service;
use carillon_store::Log;

/// The whole system.
pub(crate) struct Metrics {
    log: Log,
}

impl Metrics {
    pub(crate) fn new(log: Log) -> Self {
        Self { log }
    }
}

impl Service for Metrics {
    const NAME: ServiceName = ServiceName::Metrics;

    fn log(&self) -> &Log {
        &self.log
    }
}
