//! Entering a conversation (S4-01), and what a newcomer is told.

use carillon_contract::Person;
use std::ops::DerefMut as _;

use carillon_service::Failure;
use carillon_store::{Database, StoreError};
use serde_json::{Value, json};

use super::{
    MAX_PARTICIPANTS, NOT_A_PARTICIPANT, channel, number, overview, participant, status, typing::Typing,
};
use crate::{
    access::Admission,
    messages::{Page, page, react_all},
    session::Arrival,
    visitor::Visitor,
};

/// The most messages that are sent on entry (`?history=`).
const MAX_HISTORY: i64 = 200;

/// Lets participants in. What their tokens say of them is remembered for the others.
pub(super) async fn admit(database: &Database, visitor: &Visitor) -> Result<Admission, Failure> {
    let (Some(conversation), Some(person)) = (number(&visitor.name), visitor.person()) else {
        return Ok(Admission::Denied(NOT_A_PARTICIPANT));
    };
    let mut connection = database.reader().acquire().await.map_err(StoreError::from)?;
    let known = participant::find(&mut connection, conversation, person.id.as_str()).await?;
    // What follows may wait for another one.
    drop(connection);
    let Some(known) = known else { return Ok(Admission::Denied(NOT_A_PARTICIPANT)) };
    if known != person {
        remember(database, conversation, &person).await?;
    }
    Ok(Admission::Granted { requires: String::new() })
}

async fn remember(database: &Database, conversation: i64, person: &Person) -> Result<(), StoreError> {
    let mut tx = database.begin().await?;
    sqlx::query("UPDATE participant SET person = $3 WHERE conversation_id = $1 AND user_id = $2")
        .bind(conversation)
        .bind(person.id.as_str())
        .bind(serde_json::to_string(person).map_err(StoreError::other)?)
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// The conversation, who of the others is online, who is typing, and the last messages, if the
/// client asks for them. `None` for one who has been removed since it was admitted.
pub(super) async fn greet(typing: &Typing, mut arrival: Arrival<'_>) -> Result<Option<Vec<Value>>, Failure> {
    let (Some(conversation), Some(person)) = (number(&arrival.visitor.name), arrival.visitor.person()) else {
        return Ok(None);
    };
    let user = person.id.as_str();
    let Some(overview) = overview::one(&mut arrival.snapshot, conversation, user).await? else {
        return Ok(None);
    };
    let mut participants = participant::of(&mut arrival.snapshot, &[conversation], MAX_PARTICIPANTS).await?;
    let participants = participants.remove(&conversation).unwrap_or_default();
    let mut frames = vec![json!({
        "type": "conversation_joined",
        "conversation": overview.greeting(&participants),
        "user_id": person.id,
    })];
    let others = participants.first.iter().filter(|participant| participant.person.id != person.id);
    let online = others.filter(|participant| participant.is_online);
    frames.extend(online.map(|participant| status::frame(&participant.person.id, true)));
    frames.extend(history(&mut arrival, conversation, user).await?);
    frames.extend(typing.in_conversation(conversation, user).await);
    Ok(Some(frames))
}

/// `?history=50`: the last messages, oldest first.
async fn history(
    arrival: &mut Arrival<'_>,
    conversation: i64,
    reader: &str,
) -> Result<Vec<Value>, StoreError> {
    let wanted = arrival.query.get("history").and_then(|count| count.parse::<i64>().ok());
    let Some(wanted) = wanted.filter(|count| *count > 0) else { return Ok(Vec::new()) };
    let limit = wanted.min(MAX_HISTORY);
    let wanted = Page { before: None, after: None, up_to: Some(arrival.head), limit };
    let snapshot = arrival.snapshot.deref_mut();
    let (mut messages, _) = page(snapshot, channel(conversation)?.as_str(), wanted).await?;
    react_all(snapshot, &mut messages, reader).await?;
    Ok(messages.iter().map(|message| message.conversation_frame()).collect())
}
