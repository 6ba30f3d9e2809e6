//! `GET /api/chat/conversations/{conversation_id}/messages/`

use std::ops::DerefMut as _;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::Database;
use serde_json::{Value, json};

use super::{conversation, not_found};
use crate::{
    conversations::{caller::Caller, channel, participant},
    messages::{page, react_all},
    rooms::wanted,
};

/// `GET …?before=&after=&limit=`: a page of messages, oldest first.
pub(super) async fn list(database: &Database, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (caller, id, wanted) = (Caller::of(request)?, conversation(request)?, wanted(request)?);
    let mut snapshot = database.snapshot().await?;
    let snapshot = snapshot.deref_mut();
    if participant::find(snapshot, id, caller.user()).await?.is_none() {
        return Err(not_found());
    }
    let (mut messages, more) = page(snapshot, channel(id)?.as_str(), wanted).await?;
    react_all(snapshot, &mut messages, caller.user()).await?;
    let messages: Vec<Value> = messages.iter().map(|message| message.object()).collect();
    Ok(http::json(200, &json!({"messages": messages, "has_more": more})))
}
