//! `GET /api/projects/{project_id}/presence/`

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_presence::{Cursor, CursorError};
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
        Some(cursor) => {
            let read = |error: CursorError| Problem::unprocessable("after", &error.to_string());
            Some(cursor.parse::<Cursor>().map_err(read)?)
        }
        None => None,
    };
    let scope = place::scope(project.id.as_str()).map_err(StoreError::other)?;
    let mut snapshot = attendance.database.snapshot().await?;
    let present = attendance.present(&mut snapshot, &scope, Page { after, limit }).await?;
    let next = present.next.map(|next| next.to_string());
    Ok(http::json(200, &json!({"count": present.count, "present": present.users, "next": next})))
}
