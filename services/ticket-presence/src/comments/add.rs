//! `POST /api/projects/{project_id}/tickets/{ticket_id}/comments/`

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::{
    comment::{self, COLUMNS, Comment},
    message::{self, Message},
};
use crate::{
    activity::{self, Action},
    notices,
    service::Projects,
    tickets::{self, Ticket},
    writing::{Answer, Change, Ledger, Order, Sequence},
};

/// A comment to be.
#[derive(Debug)]
pub(crate) struct Addition {
    pub(crate) ticket: i64,
    message: Message,
}

pub(super) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, caller, message) = message::visit(projects, request).await?;
    let change = Change::AddComment(Addition { ticket: tickets::id_of(request)?, message });
    projects.writing.submit(Order::new(project, caller, http::cause(request)?, change)).await
}

/// Adds a comment.
pub(crate) async fn add(
    ledger: &mut Ledger<'_>,
    order: &Order,
    addition: &Addition,
) -> Result<Answer, StoreError> {
    let Some(mut ticket) = tickets::find(ledger.tx, order.project.as_str(), addition.ticket).await? else {
        return Ok(Err(tickets::unknown()));
    };
    let comment = Comment {
        id: ledger.take_id(Sequence::Comment)?,
        author: order.actor.person.clone(),
        message: addition.message.text.clone(),
        created_at: ledger.now,
        edited_at: 0,
    };
    if !insert(ledger, order, &ticket, &comment).await? {
        return added_before(ledger, order, &ticket).await;
    }
    comment::count(ledger, &mut ticket, 1).await?;
    let detail = json!({"comment_id": comment.id});
    activity::add(ledger, order, &ticket, Action::Commented, &detail)?;
    let board = ledger.board(order)?;
    let (object, counted) = (comment.object(&ticket, board), comment.counted(&ticket, board));
    ledger.tell(order, json!({"type": "comment_added", "data": counted, "actor": order.actor.person}))?;
    let mentioned = addition.message.mentions.iter().map(|mention| &mention.person);
    notices::of_comment(ledger, order, &ticket, comment.id, mentioned, Some(&ticket.reporter))?;
    Ok(Ok(http::json(201, &object)))
}

/// The comment as it is now of an order that was carried out so long ago that the log has forgotten it.
async fn added_before(ledger: &mut Ledger<'_>, order: &Order, ticket: &Ticket) -> Result<Answer, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM comment WHERE ticket_id = $1 AND cause = $2");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(ticket.id).bind(&order.cause);
    let comment = Comment::of(&query.fetch_one(&mut **ledger.tx).await?)?;
    Ok(Ok(http::json(201, &comment.object(ticket, ledger.board(order)?))))
}

/// Writes a comment down, unless the order has one already.
async fn insert(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    comment: &Comment,
) -> Result<bool, StoreError> {
    let query = sqlx::query(
        "INSERT INTO comment (id, ticket_id, cause, author_id, author, message, created_at, edited_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0) ON CONFLICT (ticket_id, cause) DO NOTHING",
    );
    let query = query
        .bind(comment.id)
        .bind(ticket.id)
        .bind(&order.cause)
        .bind(comment.author.id.as_str())
        .bind(serde_json::to_string(&comment.author).map_err(StoreError::other)?)
        .bind(&comment.message)
        .bind(comment.created_at);
    Ok(query.execute(&mut **ledger.tx).await?.rows_affected() > 0)
}
