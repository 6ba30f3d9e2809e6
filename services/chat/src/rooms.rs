//! Chat rooms (S2-01 to S2-03): they come into being when someone enters.

mod announcement;
mod frame;
mod routes;

use std::collections::BTreeMap;

use carillon_contract::messages::{FrameReply, HttpReply, HttpRequest};
use carillon_service::{Failure, http::Problem};
use carillon_store::Database;
use serde_json::{Value, json};

use crate::{
    access::Access,
    messages::{Messages, Page, page},
    session::Arrival,
    visitor::Visitor,
};

pub(crate) use announcement::announcement;
pub(crate) use routes::wanted;

/// The most messages that are sent on entry (`?history=`), or in a page.
const MAX_MESSAGES: i64 = 200;

/// How many of the last messages a client asks for, if it does.
pub(crate) fn history(query: &BTreeMap<String, String>) -> Option<i64> {
    let count = query.get("history")?.parse().ok();
    count.filter(|count| *count >= 0)
}

/// Chat rooms.
pub(crate) struct Rooms {
    database: Database,
    messages: Messages,
}

impl Rooms {
    pub(crate) fn new(database: Database, messages: Messages) -> Self {
        Self { database, messages }
    }

    /// The last messages, if the client asks for them (`?history=50`); otherwise nothing, which is
    /// what document 2's client expects.
    pub(crate) async fn greet(&self, mut arrival: Arrival<'_>) -> Result<Vec<Value>, Failure> {
        let Some(wanted) = history(arrival.query) else { return Ok(Vec::new()) };
        let limit = wanted.min(MAX_MESSAGES);
        let wanted = Page { before: None, after: None, up_to: Some(arrival.head), limit };
        let (messages, more) = page(&mut arrival.snapshot, arrival.channel.as_str(), wanted).await?;
        let head = json!({"type": "history", "count": messages.len(), "has_more": more});
        Ok(std::iter::once(head).chain(messages.iter().map(|message| message.room_frame())).collect())
    }

    /// Handles what a client says.
    pub(crate) async fn frame(
        &self,
        visitor: &Visitor,
        number: u64,
        payload: &[u8],
    ) -> Result<FrameReply, Failure> {
        frame::handle(&self.messages, visitor, number, payload).await
    }

    pub(crate) async fn http(&self, access: &Access, request: &HttpRequest) -> Result<HttpReply, Problem> {
        match request.route.as_str() {
            "chat.rooms.messages.list" => routes::list(&self.database, access, request).await,
            "chat.rooms.messages.send" => routes::send(&self.messages, request).await,
            _ => Err(Problem::not_found("no such route")),
        }
    }
}
