//! `GET /api/chat/conversations/`, and one of them.

use std::ops::DerefMut as _;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::Database;
use serde_json::{Value, json};

use super::{conversation, not_found};
use crate::conversations::{
    MAX_PARTICIPANTS,
    caller::Caller,
    overview::{self, Cursor},
};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// The most participants of each conversation in a list; one alone has all.
const MAX_LISTED: i64 = 20;

/// The most bytes of a page, so that it fits a message of the bus; a single conversation may have more.
const MAX_BYTES: usize = 1_000_000;

/// `GET …?after=&limit=`: where something has happened last first. `after` is the last page's `next`.
pub(super) async fn list(database: &Database, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let caller = Caller::of(request)?;
    let limit = http::limit(request, DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = cursor(request)?;
    let mut snapshot = database.snapshot().await?;
    let overviews = overview::latest(&mut snapshot, caller.user(), after, limit + 1).await?;
    let listed = &overviews[..overviews.len().min(usize::try_from(limit).unwrap_or_default())];
    let objects = overview::objects(snapshot.deref_mut(), listed, MAX_LISTED, caller.user()).await?;
    let objects = fitting(objects);
    let last = objects.len().checked_sub(1).and_then(|last| overviews.get(last));
    let next = last.filter(|_| objects.len() < overviews.len());
    let next = next.map(|last| format!("{}.{}", last.active_at, last.id));
    Ok(http::json(200, &json!({"conversations": objects, "next": next})))
}

/// `GET …/{conversation_id}/`
pub(super) async fn show(database: &Database, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (caller, id) = (Caller::of(request)?, conversation(request)?);
    let mut snapshot = database.snapshot().await?;
    let overview = overview::one(&mut snapshot, id, caller.user()).await?.ok_or_else(not_found)?;
    let objects =
        overview::objects(snapshot.deref_mut(), &[overview], MAX_PARTICIPANTS, caller.user()).await?;
    Ok(http::json(200, &objects.into_iter().next()))
}

fn cursor(request: &HttpRequest) -> Result<Cursor, Problem> {
    let Some(text) = http::query::<String>(request, "after")? else { return Ok(Cursor::START) };
    let read = |text: &str| {
        let (active_at, id) = text.split_once('.')?;
        Some(Cursor { active_at: active_at.parse().ok()?, id: id.parse().ok()? })
    };
    read(&text).ok_or_else(|| Problem::unprocessable("after", "must be the last page's `next`"))
}

/// The first conversations, as many as fit a page.
fn fitting(objects: Vec<Value>) -> Vec<Value> {
    let (mut bytes, mut is_first) = (0, true);
    let fits = |object: &Value| {
        bytes += object.to_string().len();
        std::mem::take(&mut is_first) || bytes <= MAX_BYTES
    };
    objects.into_iter().take_while(fits).collect()
}
