//! The service as the bus sees it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use carillon_bus::Bus;
use carillon_contract::{
    ServiceName,
    messages::{ClosedNotice, FrameReply, FrameRequest, HttpReply, HttpRequest, OpenReply, OpenRequest},
};
use carillon_service::{Failure, Publisher, Service, Shell, http::Problem, notices};
use carillon_store::{Database, Log, Outbox};
use futures_util::future::join;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Access, args::SettingsArgs, comments, events::Events, projects, pruner, session, statuses,
    tickets, writing::Writing,
};

/// Every project.
pub(crate) struct Projects {
    pub(crate) database: Database,
    pub(crate) log: Log,
    pub(crate) bus: Bus,
    pub(crate) access: Access,
    pub(crate) writing: Writing,
    events: Events,
    outbox: Outbox,
    prune_every: Duration,
}

impl Projects {
    pub(crate) fn new(
        shell: &Shell,
        database: Database,
        log: Log,
        settings: &SettingsArgs,
    ) -> anyhow::Result<Self> {
        let bus = shell.bus.clone();
        let publisher = Publisher::new(bus.clone());
        let outbox = Outbox::new(database.clone());
        Ok(Self {
            access: Access::new(bus.clone(), database.clone()),
            writing: Writing::new(&database, &log, &publisher, &outbox, &shell.metrics)?,
            events: Events::new(&database, &log, &publisher, &outbox),
            prune_every: settings.projects_prune_every,
            outbox,
            bus,
            log,
            database,
        })
    }

    /// What goes on beside the requests, until shutdown.
    pub(crate) async fn work(self: Arc<Self>, shutdown: CancellationToken) {
        let pruning = pruner::run(&self.log, self.prune_every, shutdown.clone());
        let delivering = self.outbox.run(shutdown, |debt| notices::deliver(&self.bus, debt));
        join(pruning, delivering).await;
    }
}

impl Service for Projects {
    const NAME: ServiceName = ServiceName::TicketPresence;

    fn log(&self) -> &Log {
        &self.log
    }

    async fn open(&self, request: OpenRequest) -> Result<OpenReply, Failure> {
        session::open(self, request).await
    }

    async fn frame(&self, request: FrameRequest) -> Result<FrameReply, Failure> {
        session::frame(self, request).await
    }

    async fn closed(&self, notice: ClosedNotice) -> Result<(), Failure> {
        session::closed(self, notice).await
    }

    async fn http(&self, request: HttpRequest) -> Result<HttpReply, Problem> {
        match request.route.split('.').nth(1).unwrap_or_default() {
            "tickets" => tickets::answer(self, &request).await,
            "comments" => comments::answer(self, &request).await,
            "statuses" => statuses::answer(self, &request).await,
            "events" => self.events.answer(&self.access, &request).await,
            _ => projects::answer(self, &request).await,
        }
    }

    async fn call(&self, method: &str, payload: Bytes) -> Result<Bytes, Failure> {
        let _ = (method, payload);
        Err(Failure::UnknownMethod)
    }
}
