//! Changing a conversation's name, and who takes part in it.

use carillon_contract::{
    Id,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use serde::Deserialize;

use super::{conversation, list, name};
use crate::conversations::{
    Conversations,
    caller::Caller,
    roster::{Order, Step},
};

/// `PATCH …/{conversation_id}/` with `{name}`, by any participant.
pub(super) async fn rename(
    conversations: &Conversations,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    #[derive(Deserialize)]
    struct Body {
        /// Null: it has none any more.
        #[serde(deserialize_with = "Option::deserialize")]
        name: Option<String>,
    }
    let body: Body = http::body(request)?;
    carry_out(conversations, request, |_| Ok(Step::Rename(name(body.name)?))).await?;
    list::show(&conversations.database, request).await
}

/// `POST …/{conversation_id}/leave/`
pub(super) async fn leave(
    conversations: &Conversations,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    carry_out(conversations, request, |caller| Ok(Step::Remove(caller.person.id.clone()))).await?;
    Ok(http::no_content())
}

/// `PUT …/{conversation_id}/participants/{user_id}/`, by any participant.
pub(super) async fn add(conversations: &Conversations, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let user = user(request)?;
    carry_out(conversations, request, |_| Ok(Step::Add(user))).await?;
    Ok(http::no_content())
}

/// `DELETE …/{conversation_id}/participants/{user_id}/`, by the creator or an admin, or of oneself.
pub(super) async fn remove(
    conversations: &Conversations,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    let user = user(request)?;
    carry_out(conversations, request, |_| Ok(Step::Remove(user))).await?;
    Ok(http::no_content())
}

async fn carry_out(
    conversations: &Conversations,
    request: &HttpRequest,
    step: impl FnOnce(&Caller) -> Result<Step, Problem>,
) -> Result<(), Problem> {
    let (by, conversation) = (Caller::of(request)?, conversation(request)?);
    let step = step(&by)?;
    let order = Order { conversation, by, cause: http::cause(request)?, step };
    conversations.roster.carry_out(&order).await
}

fn user(request: &HttpRequest) -> Result<Id, Problem> {
    Id::new(http::parameter(request, "user_id"))
        .map_err(|error| Problem::unprocessable("user_id", &error.to_string()))
}
