//! `GET /api/projects/{project_id}/tickets/{ticket_id}/comments/`

use std::ops::DerefMut as _;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::comment::{COLUMNS, Comment};
use crate::{access::Asked, page, service::Projects, tickets, writing::Board};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// `?after=&limit=`: the oldest first. `after` is the last page's `next`.
pub(super) async fn list(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, _) = projects.access.visit(request, Asked::default()).await?;
    let ticket = tickets::id_of(request)?;
    let limit = http::limit(request, DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = http::query::<i64>(request, "after")?.unwrap_or(0);
    let mut snapshot = projects.database.snapshot().await?;
    let ticket = tickets::find(snapshot.deref_mut(), project.id.as_str(), ticket).await?;
    let ticket = ticket.ok_or_else(tickets::unknown)?;
    let board = Board::read(snapshot.deref_mut(), &project).await?;
    let sql = format!(
        "SELECT {COLUMNS} FROM comment WHERE ticket_id = $1 AND id > $2 ORDER BY id LIMIT {}",
        limit + 1
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(ticket.id).bind(after);
    let rows = query.fetch_all(&mut *snapshot).await.map_err(StoreError::from)?;
    let found = rows.iter().map(Comment::of).collect::<Result<Vec<_>, _>>()?;
    let objects = page::fitting(found.iter().take(limit).map(|comment| comment.object(&ticket, &board)));
    let last = objects.len().checked_sub(1).and_then(|last| found.get(last));
    let next = last.filter(|_| objects.len() < found.len()).map(|last| last.id);
    Ok(http::json(200, &json!({"comments": objects, "next": next})))
}
