//! The statuses that a project's tickets can have, in their order.

mod change;
mod status;

use std::ops::DerefMut as _;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use serde_json::json;

use crate::{access::Asked, service::Projects, writing::Board};

pub(crate) use change::{Creation, Deletion, Update, create, delete, update};
pub(crate) use status::{Status, StatusRef};

/// Answers a route of statuses.
pub(crate) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    match request.route.as_str() {
        "projects.statuses.list" => list(projects, request).await,
        _ => change::answer(projects, request).await,
    }
}

/// `GET /api/projects/{project_id}/statuses/`
async fn list(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, _) = projects.access.visit(request, Asked::default()).await?;
    let mut snapshot = projects.database.snapshot().await?;
    let board = Board::read(snapshot.deref_mut(), &project).await?;
    Ok(http::json(200, &json!({"statuses": board.statuses})))
}
