//! Conversations over HTTP: the caller's own, but for sending.

mod create;
mod list;
mod messages;
mod roster;
mod search;
mod send;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};

use super::{Conversations, NOT_A_PARTICIPANT, number};

/// The longest name of a conversation, in characters.
const MAX_NAME: usize = 100;

/// Answers a route of conversations.
pub(super) async fn answer(
    conversations: &Conversations,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    let database = &conversations.database;
    match request.route.as_str() {
        "chat.conversations.create" => create::create(database, request).await,
        "chat.conversations.list" => list::list(database, request).await,
        "chat.conversations.show" => list::show(database, request).await,
        "chat.conversations.rename" => roster::rename(conversations, request).await,
        "chat.conversations.leave" => roster::leave(conversations, request).await,
        "chat.conversations.participants.add" => roster::add(conversations, request).await,
        "chat.conversations.participants.remove" => roster::remove(conversations, request).await,
        "chat.conversations.messages.list" => messages::list(database, request).await,
        "chat.conversations.messages.send" => send::send(conversations, request).await,
        "chat.search" => search::search(database, request).await,
        _ => Err(Problem::not_found("no such route")),
    }
}

/// The conversation that a route names.
fn conversation(request: &HttpRequest) -> Result<i64, Problem> {
    number(http::parameter(request, "conversation_id")).ok_or_else(not_found)
}

/// Whether there is such a conversation is nobody else's business.
fn not_found() -> Problem {
    Problem::not_found(NOT_A_PARTICIPANT)
}

/// A conversation's name: one line, or nothing.
fn name(name: Option<String>) -> Result<String, Problem> {
    let name = name.map(|name| name.trim().to_owned()).unwrap_or_default();
    if name.chars().count() > MAX_NAME {
        return Err(Problem::unprocessable("name", "must have at most 100 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(Problem::unprocessable("name", "must be one line without control characters"));
    }
    Ok(name)
}
