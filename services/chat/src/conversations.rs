//! Conversations: messages between participants (S4-01, S4-03, S4-04).
//!
//! - [`open`]: who may enter, and what a newcomer is told;
//! - [`frame`] reads what clients say. Messages go the way of all messages, and what is done to them
//!   afterwards that of [`changes`]; that somebody is [`typing`] is not stored;
//! - [`routes`]: the same, lists and participants over HTTP; [`roster`] changes who takes part;
//! - [`status`] tells who is online.
//!
//! Whatever changes a conversation, or what is in it, first locks its row: so what is checked stays
//! true until the transaction ends.

mod args;
mod caller;
mod changes;
mod create;
mod frame;
mod open;
mod overview;
mod participant;
mod roster;
mod routes;
mod speaking;
mod status;
mod typing;

use carillon_contract::{
    Channel, ChannelError,
    messages::{FrameReply, HttpReply, HttpRequest},
};
use carillon_service::{Failure, Publisher, Shell, http::Problem};
use carillon_store::{Database, GroupCommit, Log, StoreError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::{
    access::Admission, args::SettingsArgs, attendance::Attendance, messages::Messages, session::Arrival,
    visitor::Visitor,
};

use changes::Changing;
use roster::Roster;
use typing::Typing;

pub use args::ConversationArgs;
pub(crate) use status::status_announcements;

/// The most participants of one conversation.
const MAX_PARTICIPANTS: i64 = 1_000;

/// Why somebody may not enter: whether there is such a conversation is nobody else's business.
pub(crate) const NOT_A_PARTICIPANT: &str = "not a participant of such a conversation";

/// See the module.
pub(crate) struct Conversations {
    database: Database,
    messages: Messages,
    changes: GroupCommit<Changing>,
    roster: Roster,
    typing: Typing,
    publisher: Publisher,
}

impl Conversations {
    pub(crate) fn new(
        shell: &Shell,
        database: &Database,
        log: &Log,
        messages: Messages,
        attendance: Attendance,
        settings: &SettingsArgs,
    ) -> Self {
        let publisher = Publisher::new(shell.bus.clone());
        let changing = Changing { log: log.clone(), for_update: database.for_update() };
        Self {
            changes: GroupCommit::new(database.clone(), changing),
            roster: Roster {
                database: database.clone(),
                log: log.clone(),
                publisher: publisher.clone(),
                attendance,
            },
            typing: Typing::new(shell, log.epoch(), &settings.conversations),
            database: database.clone(),
            messages,
            publisher,
        }
    }

    /// Listens to other replicas, until shutdown.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        self.typing.typists().run(shutdown).await;
    }

    pub(crate) async fn admit(&self, visitor: &Visitor) -> Result<Admission, Failure> {
        open::admit(&self.database, visitor).await
    }

    /// What a newcomer is told. `None` if it has ceased to be a participant.
    pub(crate) async fn greet(&self, arrival: Arrival<'_>) -> Result<Option<Vec<Value>>, Failure> {
        open::greet(&self.typing, arrival).await
    }

    pub(crate) async fn frame(
        &self,
        visitor: &Visitor,
        number: u64,
        payload: &[u8],
    ) -> Result<FrameReply, Failure> {
        speaking::handle(self, visitor, number, payload).await
    }

    /// A connection has left: what it was typing is typed no longer.
    pub(crate) async fn left(&self, visitor: &Visitor) {
        self.typing.typists().left(&visitor.connection).await;
    }

    pub(crate) async fn http(&self, request: &HttpRequest) -> Result<HttpReply, Problem> {
        routes::answer(self, request).await
    }
}

/// The number that a name is in its canonical form: `007` is not 7.
fn number(name: &str) -> Option<i64> {
    name.parse().ok().filter(|number: &i64| *number > 0 && number.to_string() == name)
}

/// A conversation's channel.
fn channel(conversation: i64) -> Result<Channel, StoreError> {
    Channel::new("conversation", &[&conversation.to_string()])
        .map_err(|error: ChannelError| StoreError::other(error))
}

#[cfg(test)]
mod tests {
    use super::number;

    /// S4-01
    #[test]
    fn a_conversation_has_one_name() {
        assert_eq!(number("7"), Some(7));
        for name in ["", "0", "007", "+7", "-7", " 7", "7.0", "٧", "9223372036854775808"] {
            assert_eq!(number(name), None, "{name}");
        }
    }
}
