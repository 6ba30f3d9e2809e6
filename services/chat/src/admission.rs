//! Whether a visitor may enter: asked before it is counted in, and once more in the state of the
//! database that its greeting tells. Rules that change after that state end the session by an event
//! that is not in it.

use std::sync::Arc;

use carillon_contract::messages::OpenReply;
use carillon_service::Failure;
use carillon_store::Snapshot;

use crate::{
    access::{Admission, Area, Rules},
    reply::reject,
    service::Chat,
    visitor::Visitor,
};

/// What a visitor was admitted by.
pub(crate) struct Ticket {
    /// The membership that the session needs, or empty.
    pub(crate) requires: String,
    rules: Arc<Rules>,
}

/// Admits a visitor, or says with which code and reason it is refused.
pub(crate) async fn ask(chat: &Chat, visitor: &Visitor) -> Result<Result<Ticket, OpenReply>, Failure> {
    let rules = chat.access.rules().await?;
    match admit(chat, visitor, &rules).await? {
        Admission::Granted { requires } => Ok(Ok(Ticket { requires, rules })),
        // Perhaps by rules that were others a moment ago.
        Admission::Denied(reason) => match chat.access.newer(&rules).await? {
            Some(rules) => ask_by(chat, visitor, rules).await,
            None => Ok(Err(refusal(visitor, reason))),
        },
    }
}

/// Checks a ticket in a state of the database: `Err` if the visitor may no longer enter.
pub(crate) async fn check(
    chat: &Chat,
    visitor: &Visitor,
    ticket: Ticket,
    snapshot: &mut Snapshot,
) -> Result<Result<Ticket, OpenReply>, Failure> {
    match chat.access.changed(snapshot, &ticket.rules).await? {
        Some(rules) => ask_by(chat, visitor, rules).await,
        None => Ok(Ok(ticket)),
    }
}

async fn ask_by(
    chat: &Chat,
    visitor: &Visitor,
    rules: Arc<Rules>,
) -> Result<Result<Ticket, OpenReply>, Failure> {
    Ok(match admit(chat, visitor, &rules).await? {
        Admission::Granted { requires } => Ok(Ticket { requires, rules }),
        Admission::Denied(reason) => Err(refusal(visitor, reason)),
    })
}

async fn admit(chat: &Chat, visitor: &Visitor, rules: &Rules) -> Result<Admission, Failure> {
    let area = match visitor.endpoint.name {
        "chat" => Area::Room,
        "collaboration" => Area::Collaboration,
        "document" => Area::Document,
        "conversation" => return chat.conversations.admit(visitor).await,
        _ => return Ok(Admission::Granted { requires: String::new() }),
    };
    chat.access.admit_by(rules, area, &visitor.name, visitor.identity.as_ref()).await
}

/// In the words of the endpoint's document.
fn refusal(visitor: &Visitor, reason: &str) -> OpenReply {
    let codes = visitor.endpoint.close_codes;
    match visitor.identity {
        Some(_) => reject(codes.denied, reason),
        None => reject(codes.missing, "a token is needed"),
    }
}
