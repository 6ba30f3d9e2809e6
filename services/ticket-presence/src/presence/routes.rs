//! `GET /api/projects/{project_id}/presence/`

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::json;

use super::{Attendance, MAX_PRESENT, place, present::Page};
use crate::access::{Access, Asked};

const DEFAULT_LIMIT: i64 = 100;

/// `?limit=&after=`: those who came first first, and whose `next` to ask for after the last of them.
pub(super) async fn list(
    attendance: &Attendance,
    access: &Access,
    request: &HttpRequest,
) -> Result<HttpReply, Problem> {
    let (project, _) = access.visit(request, Asked::default()).await?;
    let limit = http::limit(request, DEFAULT_LIMIT, MAX_PRESENT)?;
    let after = match http::query::<String>(request, "after")? {
        Some(cursor) => Some(
            read(&cursor).ok_or_else(|| Problem::unprocessable("after", "must be the last page's `next`"))?,
        ),
        None => None,
    };
    let scope = place::scope(project.id.as_str()).map_err(StoreError::other)?;
    let mut snapshot = attendance.database.snapshot().await?;
    let present = attendance.present(&mut snapshot, &scope, Page { after, limit }).await?;
    let next = present.next.map(|(since, user)| format!("{since}.{user}"));
    Ok(http::json(200, &json!({"count": present.count, "present": present.users, "next": next})))
}

/// A page's end, as it was written.
fn read(cursor: &str) -> Option<(i64, String)> {
    let (since, user) = cursor.split_once('.')?;
    let since = since.parse().ok()?;
    (!user.contains('\0')).then(|| (since, user.to_owned()))
}
