//! `POST /api/chat/conversations/` with `{participants, name?}`.

use std::{collections::BTreeSet, ops::DerefMut as _};

use carillon_contract::{
    Id,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::Database;
use serde::Deserialize;

use super::{name, not_found};
use crate::conversations::{
    MAX_PARTICIPANTS,
    caller::Caller,
    create::{self, NewConversation},
    overview,
};

#[derive(Deserialize)]
struct Body {
    participants: Vec<Id>,
    name: Option<String>,
}

/// The caller takes part in any case. With an `Idempotency-Key`, a retry is the same conversation.
pub(super) async fn create(database: &Database, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let caller = Caller::of(request)?;
    let body: Body = http::body(request)?;
    let mut others: BTreeSet<Id> = body.participants.into_iter().collect();
    others.remove(&caller.person.id);
    if !(1..MAX_PARTICIPANTS).contains(&i64::try_from(others.len()).unwrap_or(i64::MAX)) {
        return Err(Problem::unprocessable("participants", "must be 1 to 999 others"));
    }
    let user = caller.person.id.clone();
    let wanted =
        NewConversation { by: caller.person, others, name: name(body.name)?, cause: http::cause(request)? };
    let id = create::create(database, &wanted).await?;
    let mut snapshot = database.snapshot().await?;
    let overview = overview::one(&mut snapshot, id, user.as_str()).await?.ok_or_else(not_found)?;
    let objects =
        overview::objects(snapshot.deref_mut(), &[overview], MAX_PARTICIPANTS, user.as_str()).await?;
    Ok(http::json(201, &objects.into_iter().next()))
}
