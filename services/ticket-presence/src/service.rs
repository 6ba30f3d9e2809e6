//! The service as the bus sees it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use carillon_bus::Bus;
use carillon_contract::{
    Method, ServiceName,
    messages::{
        ClosedNotice, EnterRequest, FrameReply, FrameRequest, HttpReply, HttpRequest, OpenReply, OpenRequest,
        PresenceRequest, RenewRequest,
    },
};
use carillon_service::{Failure, Publisher, Service, Shell, answer, http::Problem, notices};
use carillon_store::{Database, Log, Outbox};
use futures_util::future::join3;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Access, args::SettingsArgs, comments, events::Events, metrics::Metrics, presence::Attendance,
    projects, pruner, session, statuses, tickets, writing::Writing,
};

/// Every project.
pub(crate) struct Projects {
    pub(crate) database: Database,
    pub(crate) log: Log,
    pub(crate) bus: Bus,
    pub(crate) access: Access,
    pub(crate) attendance: Attendance,
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
        let metrics = Metrics::new(&shell.metrics)?;
        Ok(Self {
            access: Access::new(bus.clone(), database.clone()),
            attendance: Attendance::new(shell, &database, &log, &settings.presence)?,
            writing: Writing::new(&database, &log, &publisher, &outbox, &metrics),
            events: Events::new(&database, &log, &publisher, &outbox, &metrics),
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
        let attending = self.attendance.run(shutdown.clone());
        let delivering = self.outbox.run(shutdown, |debt| notices::deliver(&self.bus, debt));
        join3(pruning, attending, delivering).await;
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
            "presence" => self.attendance.answer(&self.access, &request).await,
            "events" => self.events.answer(&self.access, &request).await,
            _ => projects::answer(self, &request).await,
        }
    }

    async fn call(&self, method: &str, payload: Bytes) -> Result<Bytes, Failure> {
        match method {
            RenewRequest::NAME => answer(payload, |request| self.attendance.renew(request)).await,
            EnterRequest::NAME => answer(payload, |request| self.attendance.enter(request)).await,
            PresenceRequest::NAME => answer(payload, |request| self.attendance.list(request)).await,
            _ => Err(Failure::UnknownMethod),
        }
    }
}
