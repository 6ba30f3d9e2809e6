//! Who is in a project, which ticket they are viewing, and where they are typing (S3-03).
//!
//! Sessions at the endpoints with presence are counted in ([`visitor`]), each in its project's topic,
//! and at the ticket that it views, a topic of that scope ([`place`]). The first connection of a user
//! that comes and the last that goes are events of the project's presence channel ([`announcement`]),
//! for a project as for a ticket. That somebody is typing is told and not stored ([`typing`]).
//!
//! [`frame`] reads what clients say, [`speaking`] carries it out, and [`present`] tells who is there.

mod announcement;
mod args;
mod frame;
mod place;
mod present;
mod routes;
mod speaking;
mod typing;
mod visitor;

use carillon_bus::Bus;
use carillon_contract::{
    Channel, ServiceName,
    messages::{
        ClosedNotice, EnterRequest, FrameReply, HttpReply, HttpRequest, PresenceReply, PresenceRequest,
        RenewReply, RenewRequest,
    },
};
use carillon_presence::{Presence, typing::Typists};
use carillon_service::{Failure, Publisher, Shell, http::Problem};
use carillon_store::{Database, Log, Snapshot};
use futures_util::future::join;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::access::Access;
use announcement::Announcements;
use present::Page;
use typing::Frames;

pub use args::PresenceArgs;
pub(crate) use visitor::Visitor;

/// The most users that a newcomer is told of.
const MAX_PRESENT: i64 = 1_000;

/// Everybody who is in a project.
pub(crate) struct Attendance {
    database: Database,
    presence: Presence<Announcements>,
    typists: Typists<Frames>,
    bus: Bus,
}

impl Attendance {
    pub(crate) fn new(
        shell: &Shell,
        database: &Database,
        log: &Log,
        settings: &PresenceArgs,
    ) -> anyhow::Result<Self> {
        let publisher = Publisher::new(shell.bus.clone());
        let presence = Presence::new(database.clone(), log.clone(), publisher, Announcements)?;
        presence.register_metrics(&shell.metrics)?;
        let duration = settings.projects_typing_for;
        let typists = Typists::new(shell, ServiceName::TicketPresence, log.epoch(), duration, Frames);
        Ok(Self { database: database.clone(), presence, typists, bus: shell.bus.clone() })
    }

    /// Takes out who has gone without a word, and hears who is typing, until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        join(self.presence.keep(&self.bus, shutdown.clone()), self.typists.run(shutdown)).await;
    }

    /// Counts a session in.
    pub(crate) async fn come(&self, visitor: &Visitor) -> Result<(), Failure> {
        Ok(self.presence.enter(vec![visitor.entry()?]).await?)
    }

    /// Tells a newcomer that it is there, and who else is.
    pub(crate) async fn greet(&self, snapshot: &mut Snapshot, visitor: &Visitor) -> Result<Value, Failure> {
        let page = Page { after: None, limit: MAX_PRESENT };
        let present = self.present(snapshot, &visitor.scope()?, page).await?;
        let mut greeting = announcement::user_status(&visitor.person, true, present.count);
        greeting["present"] = present.users.into();
        Ok(greeting)
    }

    /// Carries out what a client says.
    pub(crate) async fn frame(
        &self,
        visitor: &Visitor,
        number: u64,
        payload: &[u8],
    ) -> Result<FrameReply, Failure> {
        speaking::handle(self, visitor, number, payload).await
    }

    /// A session has ended. Its client may be back.
    pub(crate) async fn closed(&self, notice: ClosedNotice) -> Result<(), Failure> {
        let Some(session) = &notice.session else { return Ok(()) };
        self.typists.left(&session.connection).await;
        Ok(self.presence.leave(&session.connection, &session.gateway, notice.returning).await?)
    }

    /// Open sessions that may have been counted out.
    pub(crate) async fn enter(&self, request: EnterRequest) -> Result<(), Failure> {
        let sessions = request.sessions.iter().filter_map(|session| Visitor::of(session).transpose());
        let entries = sessions.map(|visitor| visitor?.entry()).collect::<Result<_, _>>()?;
        Ok(self.presence.enter(entries).await?)
    }

    pub(crate) async fn renew(&self, request: RenewRequest) -> Result<RenewReply, Failure> {
        Ok(RenewReply { generation: self.presence.renew(&request.gateway).await? })
    }

    /// A page of those who are in a project, by its presence channel.
    pub(crate) async fn list(&self, request: PresenceRequest) -> Result<PresenceReply, Failure> {
        let malformed = |error: &dyn std::fmt::Display| Failure::Malformed(error.to_string());
        let scope: Channel = request.channel.parse().map_err(|error| malformed(&error))?;
        let after = Some(&*request.after).filter(|after| !after.is_empty()).map(str::parse).transpose();
        let page = Page { after: after.map_err(|error| malformed(&error))?, limit: request.limit.into() };
        let present = self.present(&mut self.database.snapshot().await?, &scope, page).await?;
        Ok(PresenceReply {
            count: u64::try_from(present.count).unwrap_or_default(),
            members: present.users.iter().map(|user| user.to_string().into()).collect(),
            next: present.next.map(|next| next.to_string()).unwrap_or_default(),
        })
    }

    /// `GET /api/projects/{project_id}/presence/`
    pub(crate) async fn answer(&self, access: &Access, request: &HttpRequest) -> Result<HttpReply, Problem> {
        routes::list(self, access, request).await
    }
}
