//! Tickets (S3-02): what they are, and their routes.

mod changes;
mod create;
mod delete;
mod fields;
mod filter;
mod list;
mod priority;
mod show;
mod ticket;
mod update;

pub(crate) use create::{Creation, create};
pub(crate) use delete::{Deletion, delete};
pub(crate) use ticket::{Ticket, find, id_of, unknown};
pub(crate) use update::{Update, update};

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::Problem;

use crate::service::Projects;

/// Answers a route of tickets.
pub(crate) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    match request.route.as_str() {
        "projects.tickets.list" => list::list(projects, request).await,
        "projects.tickets.create" => create::answer(projects, request).await,
        "projects.tickets.show" => show::show(projects, request).await,
        "projects.tickets.update" => update::answer(projects, request).await,
        "projects.tickets.delete" => delete::answer(projects, request).await,
        "projects.tickets.activity" => show::activity(projects, request).await,
        _ => Err(Problem::not_found("no such route")),
    }
}
