//! `/api/notifications/`: the caller's own inbox.

use carillon_contract::{
    Id,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::{
    Publisher,
    http::{self, Problem},
};
use serde::Deserialize;
use serde_json::json;

use crate::inbox::{Change, Changed, Inboxes, Reference, Status};

const DEFAULT_LIMIT: i64 = 20;
const MAX_LIMIT: i64 = 100;

/// `GET /api/notifications/?status=&before=&limit=`
pub(crate) async fn list(inboxes: &Inboxes, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let user = person(request)?;
    let status = http::query::<Status>(request, "status")
        .map_err(|_| Problem::unprocessable("status", "must be all, unread or read"))?;
    let before = http::query::<i64>(request, "before")?.unwrap_or(i64::MAX);
    let limit = http::limit(request, DEFAULT_LIMIT, MAX_LIMIT)?;
    let page = inboxes.page(user, status.unwrap_or_default(), before, limit).await?;
    Ok(http::json(200, &page))
}

/// `POST /api/notifications/{notification_id}/read/`
pub(crate) async fn read(
    inboxes: &Inboxes,
    publisher: &Publisher,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    let changed = change(inboxes, publisher, request, Change::Read(reference(request))).await?;
    Ok(counts(&changed))
}

/// `POST /api/notifications/read-all/` with `{up_to}`: what arrived later stays unread.
pub(crate) async fn read_all(
    inboxes: &Inboxes,
    publisher: &Publisher,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    #[derive(Default, Deserialize)]
    struct Body {
        up_to: Option<Id>,
    }
    let body: Body = if request.body.is_empty() { Body::default() } else { http::body(request)? };
    let up_to = body.up_to.map(|id| Reference::new(id.into_string()));
    let changed = change(inboxes, publisher, request, Change::ReadAll(up_to)).await?;
    Ok(counts(&changed))
}

/// `DELETE /api/notifications/{notification_id}/`
pub(crate) async fn delete(
    inboxes: &Inboxes,
    publisher: &Publisher,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    change(inboxes, publisher, request, Change::Remove(reference(request))).await?;
    Ok(http::no_content())
}

async fn change(
    inboxes: &Inboxes,
    publisher: &Publisher,
    request: &HttpRequest,
    change: Change,
) -> Result<Changed, Problem> {
    let user = person(request)?;
    let cause = format!("http:{}", request.request);
    let changed = inboxes.change(user, &change, &cause).await?;
    let changed = changed.ok_or_else(|| Problem::not_found("there is no such notification"))?;
    publisher.publish(changed.event.as_slice()).await;
    Ok(changed)
}

/// The caller, who must be a person: a service token stands for no user.
fn person(request: &HttpRequest) -> Result<&str, Problem> {
    let identity = http::user(request)?;
    if identity.service || identity.user.is_empty() {
        return Err(Problem::forbidden("only users have notifications"));
    }
    Ok(&identity.user)
}

fn reference(request: &HttpRequest) -> Reference {
    Reference::new(http::parameter(request, "notification_id"))
}

fn counts(changed: &Changed) -> HttpReply {
    let Changed { changed, counts, version, .. } = changed;
    http::json(200, &json!({"marked": changed, "counts": counts, "version": version}))
}
