//! The service as the bus sees it.

use bytes::Bytes;
use carillon_bus::Bus;
use carillon_contract::{
    Method, ServiceName,
    messages::{
        FrameReply, FrameRequest, HttpReply, HttpRequest, NotifyRequest, OpenReply, OpenRequest,
        PublishEventRequest,
    },
};
use carillon_service::{Failure, Publisher, Service, Shell, answer, http::Problem};
use carillon_store::{Database, GroupCommit, Log};

use crate::{
    args::RetentionArgs,
    delivery::Deliveries,
    frame,
    inbox::Inboxes,
    metrics::Metrics,
    org_event::Publications,
    retention::Pruner,
    routes::{self, Events},
    send::Sender,
    session,
};

/// User notifications and organisation events.
pub(crate) struct Notification {
    bus: Bus,
    log: Log,
    inboxes: Inboxes,
    publisher: Publisher,
    sender: Sender,
    events: Events,
    metrics: Metrics,
}

impl Notification {
    pub(crate) fn new(
        shell: &Shell,
        database: Database,
        log: Log,
        retention: &RetentionArgs,
    ) -> carillon_instruments::Result<Self> {
        let (bus, metrics) = (shell.bus.clone(), Metrics::new(&shell.metrics)?);
        let publisher = Publisher::new(bus.clone());
        let keep = retention.inbox();
        let deliveries = GroupCommit::new(database.clone(), Deliveries { log: log.clone(), keep });
        let publications = GroupCommit::new(database.clone(), Publications { log: log.clone() });
        Ok(Self {
            sender: Sender {
                bus: bus.clone(),
                database: database.clone(),
                deliveries,
                publisher: publisher.clone(),
                metrics: metrics.clone(),
            },
            events: Events {
                bus: bus.clone(),
                publications,
                publisher: publisher.clone(),
                metrics: metrics.clone(),
            },
            inboxes: Inboxes { database, log: log.clone(), keep: keep.age },
            bus,
            log,
            publisher,
            metrics,
        })
    }

    /// What removes what is no longer kept.
    pub(crate) fn pruner(&self, retention: &RetentionArgs) -> Pruner {
        Pruner {
            inboxes: self.inboxes.clone(),
            keep: retention.inbox(),
            pause: retention.notification_prune_every,
            metrics: self.metrics.clone(),
        }
    }
}

impl Service for Notification {
    const NAME: ServiceName = ServiceName::Notification;

    fn log(&self) -> &Log {
        &self.log
    }

    async fn open(&self, request: OpenRequest) -> Result<OpenReply, Failure> {
        session::open(&self.bus, &self.log, request).await
    }

    async fn frame(&self, request: FrameRequest) -> Result<FrameReply, Failure> {
        frame::handle(&self.inboxes, &self.publisher, request).await
    }

    async fn http(&self, request: HttpRequest) -> Result<HttpReply, Problem> {
        let (inboxes, publisher) = (&self.inboxes, &self.publisher);
        match request.route.as_str() {
            "notifications.list" => routes::list(inboxes, &request).await,
            "notifications.send" => self.sender.answer(&request).await,
            "notifications.read-all" => routes::read_all(inboxes, publisher, &request).await,
            "notifications.read" => routes::read(inboxes, publisher, &request).await,
            "notifications.delete" => routes::delete(inboxes, publisher, &request).await,
            "orgs.events.publish" => routes::publish(&self.events, &request).await,
            _ => Err(Problem::not_found("no such route")),
        }
    }

    async fn call(&self, method: &str, payload: Bytes) -> Result<Bytes, Failure> {
        match method {
            NotifyRequest::NAME => answer(payload, |request| self.sender.notify(request)).await,
            PublishEventRequest::NAME => {
                answer(payload, |request| routes::publish_event(&self.events, request)).await
            }
            _ => Err(Failure::UnknownMethod),
        }
    }
}
