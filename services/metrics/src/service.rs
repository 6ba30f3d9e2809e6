//! The service as the bus sees it.

use std::sync::Arc;

use carillon_bus::Bus;
use carillon_contract::{
    ServiceName,
    messages::{FrameReply, FrameRequest, HttpReply, HttpRequest, OpenReply, OpenRequest},
};
use carillon_service::{Failure, Service, http::Problem};
use carillon_store::Log;

use crate::{cluster::Cluster, health::Health, hearing::Gathered, routes};

/// The whole system.
pub(crate) struct Monitoring {
    pub(crate) bus: Bus,
    pub(crate) cluster: Arc<Cluster>,
    log: Log,
    health: Health,
    gathered: Gathered,
}

impl Monitoring {
    pub(crate) fn new(bus: Bus, log: Log, cluster: Arc<Cluster>, health: Health, gathered: Gathered) -> Self {
        Self { bus, cluster, log, health, gathered }
    }
}

impl Service for Monitoring {
    const NAME: ServiceName = ServiceName::Metrics;

    fn log(&self) -> &Log {
        &self.log
    }

    async fn open(&self, request: OpenRequest) -> Result<OpenReply, Failure> {
        self.gathered.wait().await;
        self.health.open(self.log.epoch(), request).await
    }

    async fn frame(&self, request: FrameRequest) -> Result<FrameReply, Failure> {
        Ok(self.health.answer(&request))
    }

    async fn http(&self, request: HttpRequest) -> Result<HttpReply, Problem> {
        self.gathered.wait().await;
        match request.route.as_str() {
            "monitoring.metrics" => Ok(routes::figures(&self.cluster)),
            "monitoring.connections.list" => routes::connections(self, &request).await,
            "monitoring.connections.disconnect" => routes::disconnect(&self.bus, &request).await,
            _ => Err(Problem::not_found("no such route")),
        }
    }
}
