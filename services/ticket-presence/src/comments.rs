//! Comments on tickets (S3-02), and their routes.

mod comment;
mod list;
mod write;

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::Problem;

use crate::service::Projects;

pub(crate) use write::{Addition, Deletion, Edit, add, delete, edit};

/// Answers a route of comments.
pub(crate) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    match request.route.as_str() {
        "projects.comments.list" => list::list(projects, request).await,
        _ => write::answer(projects, request).await,
    }
}
