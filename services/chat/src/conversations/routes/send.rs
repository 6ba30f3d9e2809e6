//! `POST /api/chat/conversations/{conversation_id}/messages/`, by a back end (S2-05).

use carillon_contract::{
    Id,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::{Database, StoreError};
use serde::Deserialize;
use serde_json::json;

use super::{conversation, not_found};
use crate::{
    conversations::{Conversations, channel, frame, number, participant},
    messages::{Author, Draft},
    reply::Refusal,
    visitor::MAX_NAME,
};

/// Who a back end is if it doesn't say.
const SYSTEM: &str = "System";

#[derive(Deserialize)]
struct Body {
    message: String,
    /// The participant in whose name it is sent.
    user_id: Option<Id>,
    /// Or what the back end calls itself.
    username: Option<String>,
    message_type: Option<String>,
    reply_to: Option<Id>,
}

/// With an `Idempotency-Key`, a retry is the same message.
pub(super) async fn send(conversations: &Conversations, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let conversation = conversation(request)?;
    let body: Body = http::body(request)?;
    let in_field = |field: &'static str| move |it: Refusal| Problem::unprocessable(field, &it.message);
    let reply_to = body.reply_to.map(|id| number(id.as_str()).ok_or_else(frame::unknown_message));
    let draft = Draft {
        channel: channel(conversation)?,
        conversation: Some(conversation),
        cause: http::cause(request)?,
        message_type: frame::kind(body.message_type).map_err(in_field("message_type"))?,
        body: frame::text(body.message, false).map_err(in_field("message"))?,
        reply_to: reply_to.transpose().map_err(in_field("reply_to"))?,
        author: author(&conversations.database, conversation, body.user_id, body.username).await?,
        attachments: Vec::new(),
        client_id: None,
    };
    match conversations.messages.send(draft).await? {
        Ok(sent) => Ok(http::json(201, &json!({"id": sent.id, "offset": sent.offset}))),
        Err(refusal) => Err(problem(&refusal)),
    }
}

async fn author(
    database: &Database,
    conversation: i64,
    user: Option<Id>,
    username: Option<String>,
) -> Result<Author, Problem> {
    let username = username.filter(|name| !name.is_empty());
    let Some(user) = user else { return back_end(username) };
    if username.is_some() {
        return Err(Problem::unprocessable("username", "is for messages that no user_id is given for"));
    }
    let mut connection = database.reader().acquire().await.map_err(StoreError::from)?;
    let person = participant::find(&mut connection, conversation, user.as_str()).await?;
    person.map(Author::User).ok_or_else(|| Problem::unprocessable("user_id", "is no participant"))
}

fn back_end(username: Option<String>) -> Result<Author, Problem> {
    let username = username.unwrap_or_else(|| SYSTEM.to_owned());
    if username.chars().count() > MAX_NAME || username.chars().any(char::is_control) {
        return Err(Problem::unprocessable("username", "must be one line of at most 100 characters"));
    }
    Ok(Author::BackEnd(username))
}

/// What only the database knows.
fn problem(refusal: &Refusal) -> Problem {
    match refusal.code {
        "unknown_conversation" => not_found(),
        "unknown_message" => Problem::unprocessable("reply_to", &refusal.message),
        "not_a_participant" => Problem::unprocessable("user_id", "is no participant"),
        _ => Problem::conflict(&refusal.message),
    }
}
