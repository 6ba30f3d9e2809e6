//! Comments on tickets (S3-02), and their routes.

mod add;
mod comment;
mod delete;
mod edit;
mod list;
mod message;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::Problem;

use crate::service::Projects;

pub(crate) use add::{Addition, add};
pub(crate) use comment::uncounted;
pub(crate) use delete::{Deletion, delete};
pub(crate) use edit::{Edit, edit};

/// Answers a route of comments.
pub(crate) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    match request.route.as_str() {
        "projects.comments.list" => list::list(projects, request).await,
        "projects.comments.create" => add::answer(projects, request).await,
        "projects.comments.update" => edit::answer(projects, request).await,
        "projects.comments.delete" => delete::answer(projects, request).await,
        _ => Err(Problem::not_found("no such route")),
    }
}
