//! `GET /api/projects/{project_id}/tickets/{ticket_id}/`, and its activity log.

use std::ops::DerefMut as _;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};

use super::{find, id_of, unknown};
use crate::{access::Asked, activity, service::Projects, writing::Board};

pub(super) async fn show(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, _) = projects.access.visit(request, Asked::default()).await?;
    let id = id_of(request)?;
    let mut snapshot = projects.database.snapshot().await?;
    let ticket = find(snapshot.deref_mut(), project.id.as_str(), id).await?.ok_or_else(unknown)?;
    let board = Board::read(snapshot.deref_mut(), &project).await?;
    Ok(http::json(200, &ticket.object(&board)))
}

/// `GET …/activity/?after=&limit=`: what happened first first.
pub(super) async fn activity(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, _) = projects.access.visit(request, Asked::default()).await?;
    let id = id_of(request)?;
    let mut snapshot = projects.database.snapshot().await?;
    find(snapshot.deref_mut(), project.id.as_str(), id).await?.ok_or_else(unknown)?;
    activity::page(snapshot.deref_mut(), request, id).await
}
