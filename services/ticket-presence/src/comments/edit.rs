//! `PATCH /api/projects/{project_id}/tickets/{ticket_id}/comments/{comment_id}/`

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::json;

use super::{
    comment,
    message::{self, Message},
};
use crate::{
    activity::{self, Action},
    mentions, notices,
    service::Projects,
    tickets,
    writing::{Answer, Change, Ledger, Order},
};

/// Another text for a comment, which its author writes.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) ticket: i64,
    pub(crate) comment: i64,
    message: Message,
}

pub(super) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, caller, message) = message::visit(projects, request).await?;
    let (ticket, comment) = (tickets::id_of(request)?, comment::id_of(request)?);
    let change = Change::EditComment(Edit { ticket, comment, message });
    projects.writing.submit(Order::new(project, caller, http::cause(request)?, change)).await
}

/// Changes what a comment says.
pub(crate) async fn edit(ledger: &mut Ledger<'_>, order: &Order, edit: &Edit) -> Result<Answer, StoreError> {
    let Some(mut ticket) = tickets::find(ledger.tx, order.project.as_str(), edit.ticket).await? else {
        return Ok(Err(tickets::unknown()));
    };
    let Some(mut comment) = comment::find(ledger.tx, ticket.id, edit.comment).await? else {
        return Ok(Err(comment::unknown()));
    };
    if comment.author.id != order.actor.person.id {
        return Ok(Err(Problem::forbidden("only its author edits a comment")));
    }
    let Message { text, mentions } = &edit.message;
    if comment.message == *text {
        return Ok(Ok(http::json(200, &comment.object(&ticket, ledger.board(order)?))));
    }
    let before = std::mem::replace(&mut comment.message, text.clone());
    comment.edited_at = ledger.now;
    sqlx::query("UPDATE comment SET message = $2, edited_at = $3 WHERE id = $1")
        .bind(comment.id)
        .bind(&comment.message)
        .bind(comment.edited_at)
        .execute(&mut **ledger.tx)
        .await?;
    comment::count(ledger, &mut ticket, 0).await?;
    let changes = json!({"message": {"from": before, "to": comment.message}});
    let detail = json!({"comment_id": comment.id, "changes": changes});
    activity::add(ledger, order, &ticket, Action::CommentEdited, &detail)?;
    let object = comment.object(&ticket, ledger.board(order)?);
    ledger.tell(order, json!({"type": "comment_updated", "data": object, "actor": order.actor.person}))?;
    let mentioned = mentions::fresh(mentions, &before);
    notices::of_comment(ledger, order, &ticket, comment.id, mentioned, None)?;
    Ok(Ok(http::json(200, &object)))
}
