//! `/api/chat/rooms/{room_name}/messages/`

use carillon_contract::{
    Channel,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::Database;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{MAX_MESSAGES, frame::check_message};
use crate::{
    access::{Access, Admission, Area},
    messages::{Author, Draft, Messages, Page, page},
    visitor::MAX_NAME,
};

const DEFAULT_LIMIT: i64 = 50;

/// Who a back end is if it doesn't say (document 2's `send_chat_message`).
const SYSTEM: &str = "System";

/// `GET …?before=&after=&limit=`: a page of the room's messages, oldest first. Whoever may enter
/// the room may read them.
pub(super) async fn list(
    database: &Database,
    access: &Access,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    let channel = room(request)?;
    let name = http::parameter(request, "room_name");
    if let Admission::Denied(reason) = access.admit(Area::Room, name, request.identity.as_ref()).await? {
        return Err(match request.identity {
            Some(_) => Problem::forbidden(reason),
            None => Problem::unauthorized("a token is needed"),
        });
    }
    let mut snapshot = database.snapshot().await?;
    let (messages, more) = page(&mut snapshot, channel.as_str(), wanted(request)?).await?;
    let messages: Vec<Value> = messages.iter().map(|message| message.room_frame()).collect();
    Ok(http::json(200, &json!({"messages": messages, "has_more": more})))
}

/// `before`, `after` and `limit` of a request for messages.
pub(crate) fn wanted(request: &HttpRequest) -> Result<Page, Problem> {
    let limit = http::limit(request, DEFAULT_LIMIT, MAX_MESSAGES)?;
    let (before, after) = (http::query(request, "before")?, http::query(request, "after")?);
    if before.is_some() && after.is_some() {
        return Err(Problem::unprocessable("after", "ask for messages before an id or after one"));
    }
    Ok(Page { before, after, up_to: None, limit })
}

/// `POST …` with `{message, username}`, by a back end (S2-05).
pub(super) async fn send(messages: &Messages, request: &HttpRequest) -> Result<HttpReply, Problem> {
    #[derive(Deserialize)]
    struct Body {
        message: String,
        username: Option<String>,
    }
    let channel = room(request)?;
    let Body { message, username } = http::body(request)?;
    check_message(&message).map_err(|refusal| Problem::unprocessable("message", &refusal.message))?;
    let username = username.filter(|name| !name.is_empty()).unwrap_or_else(|| SYSTEM.to_owned());
    if username.chars().count() > MAX_NAME || username.contains('\0') {
        return Err(Problem::unprocessable("username", "must have at most 100 characters"));
    }
    let draft = Draft {
        channel,
        conversation: None,
        cause: http::cause(request)?,
        author: Author::BackEnd(username),
        message_type: "text".to_owned(),
        body: message,
        reply_to: None,
        attachments: Vec::new(),
        client_id: None,
    };
    match messages.send(draft).await? {
        Ok(sent) => Ok(http::json(201, &json!({"id": sent.id, "offset": sent.offset}))),
        Err(refusal) => Err(Problem::conflict(&refusal.message)),
    }
}

/// The room's channel. A name of digits is a conversation's, and never a room's (S4-01).
fn room(request: &HttpRequest) -> Result<Channel, Problem> {
    let name = http::parameter(request, "room_name");
    if name.chars().count() > MAX_NAME {
        return Err(Problem::unprocessable("room_name", "must have at most 100 characters"));
    }
    if name.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::not_found("a name of digits is a conversation's"));
    }
    Channel::new("room", &[name]).map_err(|error| Problem::unprocessable("room_name", &error.to_string()))
}
