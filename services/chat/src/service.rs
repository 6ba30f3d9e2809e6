//! The service as the bus sees it.

use bytes::Bytes;
use carillon_blob::Blobs;
use carillon_bus::Bus;
use carillon_contract::{
    Method, ServiceName,
    messages::{
        ClosedNotice, EnterRequest, FrameReply, FrameRequest, HttpReply, HttpRequest, OpenReply, OpenRequest,
        PresenceRequest, RenewReply, RenewRequest,
    },
};
use carillon_service::{Failure, Publisher, Service, Shell, answer, http::Problem, notices};
use carillon_store::{Database, Log, Outbox};
use futures_util::future::join4;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Access,
    args::SettingsArgs,
    attachments::Attachments,
    attendance::{self, Attendance},
    collaboration::Collaboration,
    conversations::Conversations,
    counters::Counters,
    documents::Documents,
    groups::Groups,
    messages::Messages,
    pruner::Pruner,
    rooms::Rooms,
    session,
    visitor::Visitor,
};

/// Everything that has a room.
pub(crate) struct Chat {
    pub(crate) database: Database,
    pub(crate) log: Log,
    pub(crate) access: Access,
    pub(crate) attachments: Attachments,
    pub(crate) attendance: Attendance,
    pub(crate) rooms: Rooms,
    pub(crate) conversations: Conversations,
    pub(crate) collaboration: Collaboration,
    pub(crate) documents: Documents,
    pub(crate) counters: Counters,
    pub(crate) groups: Groups,
    bus: Bus,
    outbox: Outbox,
    pruner: Pruner,
}

impl Chat {
    pub(crate) fn new(
        shell: &Shell,
        database: Database,
        log: Log,
        blobs: Option<Blobs>,
        settings: &SettingsArgs,
    ) -> anyhow::Result<Self> {
        let bus = shell.bus.clone();
        let publisher = Publisher::new(bus.clone());
        let outbox = Outbox::new(database.clone());
        let attendance = attendance::start(&database, &log, &publisher, &shell.metrics)?;
        let attachments = Attachments::new(&database, blobs, settings);
        let messages = Messages::new(&database, &log, &publisher, &outbox, &attachments, &shell.metrics)?;
        Ok(Self {
            access: Access::new(
                bus.clone(),
                database.clone(),
                log.clone(),
                publisher.clone(),
                &settings.access,
            ),
            rooms: Rooms::new(database.clone(), messages.clone()),
            conversations: Conversations::new(shell, &database, &log, messages, attendance.clone(), settings),
            collaboration: Collaboration::new(
                &database,
                &log,
                &publisher,
                &settings.collaboration,
                &shell.metrics,
            )?,
            groups: Groups::new(&database, &log, &publisher),
            counters: Counters::new(&database, &log, &publisher, &shell.metrics)?,
            attachments,
            documents: Documents::new(&database, &log, &publisher, &settings.documents, &shell.metrics)?,
            pruner: Pruner::new(&database, &log, settings),
            attendance,
            database,
            log,
            bus,
            outbox,
        })
    }

    /// What goes on beside the requests, until shutdown.
    pub(crate) async fn work(self: std::sync::Arc<Self>, shutdown: CancellationToken) {
        let sweeping = self.attendance.keep(&self.bus, shutdown.clone());
        let pruning = self.pruner.run(shutdown.clone());
        let expiring = self.attachments.run(shutdown.clone());
        let clearing = self.access.run(shutdown.clone());
        let listening = self.conversations.run(shutdown.clone());
        let compacting = self.documents.run(shutdown.clone());
        let delivering = self.outbox.run(shutdown, |debt| notices::deliver(&self.bus, debt));
        let cleaning = join4(sweeping, pruning, expiring, compacting);
        join4(cleaning, clearing, listening, delivering).await;
    }

    async fn enter(&self, request: EnterRequest) -> Result<(), Failure> {
        let mut entries = Vec::new();
        for session in request.sessions {
            entries.extend(attendance::entries(&Visitor::of(Some(session))?)?);
        }
        let entered = entries.iter().map(|entry| (entry.topic.clone(), entry.connection.clone())).collect();
        self.attendance.enter(entries).await?;
        Ok(self.access.entered_again(&entered).await?)
    }

    async fn renew(&self, request: RenewRequest) -> Result<RenewReply, Failure> {
        Ok(RenewReply { generation: self.attendance.renew(&request.gateway).await? })
    }
}

impl Service for Chat {
    const NAME: ServiceName = ServiceName::Chat;

    fn log(&self) -> &Log {
        &self.log
    }

    async fn open(&self, request: OpenRequest) -> Result<OpenReply, Failure> {
        session::open(self, request).await
    }

    async fn frame(&self, request: FrameRequest) -> Result<FrameReply, Failure> {
        let FrameRequest { session, number, payload, after, .. } = request;
        let visitor = Visitor::of(session)?;
        match visitor.endpoint.name {
            "chat" => self.rooms.frame(&visitor, number, &payload).await,
            "conversation" => self.conversations.frame(&visitor, number, &payload).await,
            "collaboration" => self.collaboration.frame(&visitor, number, &payload).await,
            "document" => self.documents.frame(&visitor, number, payload, &after).await,
            "counter" | "named-counter" => self.counters.frame(&visitor, number, &payload).await,
            _ => Err(Failure::Malformed("not an endpoint of chat".to_owned())),
        }
    }

    async fn closed(&self, notice: ClosedNotice) -> Result<(), Failure> {
        session::closed(self, notice).await
    }

    async fn http(&self, request: HttpRequest) -> Result<HttpReply, Problem> {
        match request.route.split('.').nth(1).unwrap_or_default() {
            "rooms" => self.rooms.http(&self.access, &request).await,
            "conversations" | "search" => self.conversations.http(&request).await,
            "attachments" => self.attachments.http(&request).await,
            "access" => self.access.http(&request).await,
            "events" => self.groups.http(&request).await,
            _ if request.route.starts_with("counter.") => self.counters.http(&request).await,
            _ => Err(Problem::not_found("no such route")),
        }
    }

    async fn call(&self, method: &str, payload: Bytes) -> Result<Bytes, Failure> {
        match method {
            RenewRequest::NAME => answer(payload, |request| self.renew(request)).await,
            EnterRequest::NAME => answer(payload, |request| self.enter(request)).await,
            PresenceRequest::NAME => {
                answer(payload, |request| attendance::list(&self.database, request)).await
            }
            _ => Err(Failure::UnknownMethod),
        }
    }
}
