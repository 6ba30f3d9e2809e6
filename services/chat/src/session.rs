//! Opening and ending sessions at every endpoint of this service.

use std::collections::BTreeMap;

use carillon_contract::{
    Channel,
    messages::{ChannelHead, ClosedNotice, OpenReply, OpenRequest},
};
use carillon_service::Failure;
use carillon_store::Snapshot;
use serde_json::Value;

use crate::{
    admission, attendance, conversations,
    reply::{accept, reject},
    rooms,
    service::Chat,
    visitor::{MAX_NAME, Visitor},
};

/// A newcomer, and the state of the database that its greeting tells.
pub(crate) struct Arrival<'a> {
    pub(crate) visitor: &'a Visitor,
    pub(crate) channel: &'a Channel,
    /// The channel's head in that state.
    pub(crate) head: u64,
    pub(crate) query: &'a BTreeMap<String, String>,
    pub(crate) snapshot: Snapshot,
}

/// Opens a session: admits it, counts it in, and reads its greeting and where that ends from one
/// state of the database, so that nothing is told twice or not at all.
pub(crate) async fn open(chat: &Chat, request: OpenRequest) -> Result<OpenReply, Failure> {
    let visitor = Visitor::of(request.session)?;
    let codes = visitor.endpoint.close_codes;
    if !visitor.has_valid_name() {
        return Ok(reject(codes.denied, &format!("a name has at most {MAX_NAME} characters")));
    }
    let ticket = match admission::ask(chat, &visitor).await? {
        Ok(ticket) => ticket,
        Err(refusal) => return Ok(refusal),
    };
    let channel = visitor.channel()?;
    let early = head_before_entering(chat, &visitor, &channel, &request.query).await?;
    chat.attendance.enter(attendance::entries(&visitor)?).await?;
    let mut snapshot = chat.database.snapshot().await?;
    let requires = match admission::check(chat, &visitor, ticket, &mut snapshot).await? {
        Ok(ticket) => ticket.requires,
        Err(refusal) => {
            drop(snapshot);
            chat.attendance.leave(&visitor.connection, &visitor.lease, false).await?;
            return Ok(refusal);
        }
    };
    let heads = match early {
        Some(heads) => heads,
        None => chat.log.heads_at(&mut snapshot, &[channel.to_string()]).await?,
    };
    let head = heads.first().map_or(0, |head: &ChannelHead| head.offset);
    let arrival = Arrival { visitor: &visitor, channel: &channel, head, query: &request.query, snapshot };
    if visitor.endpoint.name == "document" {
        return chat.documents.greet(arrival, heads, &requires).await;
    }
    let Some(greeting) = greet(chat, arrival).await? else {
        chat.attendance.leave(&visitor.connection, &visitor.lease, false).await?;
        return Ok(reject(codes.denied, conversations::NOT_A_PARTICIPANT));
    };
    Ok(accept(chat.log.epoch(), heads, &greeting, &requires))
}

/// Where a greeting ends that tells nothing: others may speak to whoever they have seen come, before
/// this one has read anything.
async fn head_before_entering(
    chat: &Chat,
    visitor: &Visitor,
    channel: &Channel,
    query: &BTreeMap<String, String>,
) -> Result<Option<Vec<ChannelHead>>, Failure> {
    if visitor.endpoint.name != "chat" || rooms::history(query).is_some() {
        return Ok(None);
    }
    Ok(Some(chat.log.heads(&[channel.to_string()]).await?))
}

/// A session has ended.
pub(crate) async fn closed(chat: &Chat, notice: ClosedNotice) -> Result<(), Failure> {
    let visitor = Visitor::of(notice.session)?;
    if visitor.endpoint.name == "conversation" {
        chat.conversations.left(&visitor).await;
    }
    Ok(chat.attendance.leave(&visitor.connection, &visitor.lease, notice.returning).await?)
}

/// `None`: what it was admitted for has ended meanwhile.
async fn greet(chat: &Chat, arrival: Arrival<'_>) -> Result<Option<Vec<Value>>, Failure> {
    let greeting = match arrival.visitor.endpoint.name {
        "chat" => chat.rooms.greet(arrival).await?,
        "conversation" => return chat.conversations.greet(arrival).await,
        "collaboration" => chat.collaboration.greet(arrival).await?,
        _ => chat.counters.greet(arrival).await?,
    };
    Ok(Some(greeting))
}
