//! `DELETE /api/projects/{project_id}/tickets/{ticket_id}/comments/{comment_id}/`

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::json;

use super::comment;
use crate::{
    access::Asked,
    activity::{self, Action},
    service::Projects,
    tickets,
    writing::{Answer, Change, Ledger, Order},
};

/// The end of a comment, which its author or an admin wants.
#[derive(Debug)]
pub(crate) struct Deletion {
    pub(crate) ticket: i64,
    pub(crate) comment: i64,
}

pub(super) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, caller) = projects.access.visit(request, Asked::default()).await?;
    let (ticket, comment) = (tickets::id_of(request)?, comment::id_of(request)?);
    let change = Change::DeleteComment(Deletion { ticket, comment });
    projects.writing.submit(Order::new(project, caller, http::cause(request)?, change)).await
}

/// Deletes a comment.
pub(crate) async fn delete(
    ledger: &mut Ledger<'_>,
    order: &Order,
    deletion: &Deletion,
) -> Result<Answer, StoreError> {
    let Some(mut ticket) = tickets::find(ledger.tx, order.project.as_str(), deletion.ticket).await? else {
        return Ok(Err(tickets::unknown()));
    };
    let Some(comment) = comment::find(ledger.tx, ticket.id, deletion.comment).await? else {
        return Ok(Err(comment::unknown()));
    };
    if !order.actor.is_admin && comment.author.id != order.actor.person.id {
        return Ok(Err(Problem::forbidden("only its author, or an admin, deletes a comment")));
    }
    sqlx::query("DELETE FROM comment WHERE id = $1").bind(comment.id).execute(&mut **ledger.tx).await?;
    comment::count(ledger, &mut ticket, -1).await?;
    let detail = json!({"comment_id": comment.id});
    activity::add(ledger, order, &ticket, Action::CommentDeleted, &detail)?;
    let ticket_key = ledger.board(order)?.key_of(ticket.number);
    let data = json!({
        "comment_id": comment.id, "ticket_id": ticket.id, "ticket_key": ticket_key, "comments": ticket.comments,
    });
    ledger.tell(order, json!({"type": "comment_deleted", "data": data, "actor": order.actor.person}))?;
    Ok(Ok(http::no_content()))
}
