//! `GET /api/projects/{project_id}/tickets/`

use std::ops::DerefMut as _;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::{
    Ticket,
    filter::{Conditions, Sort},
    ticket::COLUMNS,
};
use crate::{access::Asked, channels, page, service::Projects, writing::Board};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// `?status=&assignee=&reporter=&priority=&label=&q=&sort=&limit=&cursor=`. `next` is the next page's
/// cursor; `since` is the place in the tickets' log as of which the page was read: a client that connects
/// with it is told all that has happened after.
pub(super) async fn list(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, caller) = projects.access.visit(request, Asked::default()).await?;
    let limit = http::limit(request, DEFAULT_LIMIT, MAX_LIMIT)?;
    let sort = Sort::of(request)?;
    let mut snapshot = projects.database.snapshot().await?;
    let board = Board::read(snapshot.deref_mut(), &project).await?;
    let mut conditions = Conditions::of(request, &board, caller.user())?;
    if let Some(cursor) = http::query::<String>(request, "cursor")? {
        let problem = || Problem::unprocessable("cursor", "must be the last page's `next`");
        let (value, number) = sort.read(&cursor).ok_or_else(problem)?;
        conditions.after(sort, value, number);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM ticket WHERE project_id = $1{} ORDER BY {} LIMIT {}",
        conditions.sql,
        sort.order(),
        limit + 1
    );
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(false).bind(project.id.as_str());
    let rows = conditions.bind(query).fetch_all(&mut *snapshot).await.map_err(StoreError::from)?;
    let found = rows.iter().map(Ticket::of).collect::<Result<Vec<_>, _>>()?;
    let objects = page::fitting(found.iter().take(limit).map(|ticket| ticket.object(&board)));
    let last = objects.len().checked_sub(1).and_then(|last| found.get(last));
    let next = last.filter(|_| objects.len() < found.len()).map(|last| sort.cursor(last));
    let channel = channels::tickets(project.id.as_str())?.to_string();
    let heads = projects.log.heads_at(&mut snapshot, &[channel]).await?;
    let since = format!("{}.{}", projects.log.epoch(), heads.first().map_or(0, |head| head.offset));
    Ok(http::json(200, &json!({"tickets": objects, "next": next, "since": since})))
}
