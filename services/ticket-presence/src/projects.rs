//! The projects that a user works in: `GET /api/projects/`, and one of them.

use std::ops::DerefMut as _;

use carillon_contract::{
    Id, ServiceName,
    messages::{HttpReply, HttpRequest, Project, ProjectsRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::{access::Asked, service::Projects, writing::Board};

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

/// Answers a route of projects.
pub(crate) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    match request.route.as_str() {
        "projects.list" => list(projects, request).await,
        "projects.show" => show(projects, request).await,
        _ => Err(Problem::not_found("no such route")),
    }
}

/// `?after=&limit=`: the caller's own, in the order of their ids.
async fn list(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let caller = http::user(request)?;
    if caller.service {
        return Err(Problem::forbidden("only users have projects"));
    }
    let limit = http::limit(request, DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = http::query::<String>(request, "after")?.unwrap_or_default();
    let asked = ProjectsRequest { user: caller.user.clone(), after, limit };
    let reply = projects.bus.call(ServiceName::Auth, &asked).await?;
    let next = reply.projects.last().filter(|_| reply.more).map(|last| last.id.clone());
    let listed: Vec<Value> = reply.projects.iter().map(object).collect();
    Ok(http::json(200, &json!({"projects": listed, "next": next})))
}

/// A project with its statuses, and how many tickets each has.
async fn show(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, _) = projects.access.visit(request, Asked::default()).await?;
    let mut snapshot = projects.database.snapshot().await?;
    let board = Board::read(snapshot.deref_mut(), &project).await?;
    let rows = sqlx::query("SELECT status, COUNT(*) FROM ticket WHERE project_id = $1 GROUP BY status")
        .bind(project.id.as_str())
        .fetch_all(&mut *snapshot)
        .await
        .map_err(StoreError::from)?;
    let counts: Vec<(i64, i64)> =
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, StoreError>>()?;
    let status = |status: &crate::statuses::Status| {
        let count = counts.iter().find(|(id, _)| *id == status.id).map_or(0, |(_, count)| *count);
        let mut object = json!(status);
        object["tickets"] = count.into();
        object
    };
    let statuses: Vec<Value> = board.statuses.iter().map(status).collect();
    let tickets: i64 = counts.iter().map(|(_, count)| count).sum();
    let mut shown = json!({"id": project.id, "name": project.name, "key": project.key});
    (shown["statuses"], shown["tickets"]) = (statuses.into(), tickets.into());
    Ok(http::json(200, &shown))
}

fn object(project: &Project) -> Value {
    let id = Id::new(project.id.as_str()).map_or_else(|_| json!(project.id), |id| json!(id));
    json!({"id": id, "name": project.name, "key": project.key})
}
