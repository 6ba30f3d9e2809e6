//! Adding, editing and deleting comments.

use carillon_contract::{
    Person,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde::Deserialize;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::comment::{COLUMNS, Comment};
use crate::{
    access::Asked,
    activity::{self, Action},
    mentions::{self, Mention},
    notices,
    service::Projects,
    tickets::{self, Ticket},
    writing::{Answer, Change, Ledger, Order},
};

const MAX_MESSAGE: usize = 5_000;

/// A comment to be.
#[derive(Debug)]
pub(crate) struct Addition {
    ticket: i64,
    message: String,
    mentions: Vec<Mention>,
}

/// Another text for a comment, which its author writes.
#[derive(Debug)]
pub(crate) struct Edit {
    ticket: i64,
    comment: i64,
    message: String,
    mentions: Vec<Mention>,
}

/// The end of a comment, which its author or an admin wants.
#[derive(Debug)]
pub(crate) struct Deletion {
    ticket: i64,
    comment: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    message: String,
}

pub(super) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    if request.route == "projects.comments.delete" {
        let (project, caller) = projects.access.visit(request, Asked::default()).await?;
        let (ticket, comment) = (tickets::id_of(request)?, id_of(request)?);
        let change = Change::DeleteComment(Deletion { ticket, comment });
        return projects.writing.submit(Order::new(project, caller, http::cause(request)?, change)).await;
    }
    let message = message(http::body::<Body>(request)?)?;
    let names = mentions::names(&message);
    let asked = Asked { names: names.iter().cloned().collect(), ..Asked::default() };
    let (project, caller) = projects.access.visit(request, asked).await?;
    let mentions = mentions::members(&project, names);
    let ticket = tickets::id_of(request)?;
    let change = match request.route.as_str() {
        "projects.comments.create" => Change::AddComment(Addition { ticket, message, mentions }),
        "projects.comments.update" => {
            Change::EditComment(Edit { ticket, comment: id_of(request)?, message, mentions })
        }
        _ => return Err(Problem::not_found("no such route")),
    };
    projects.writing.submit(Order::new(project, caller, http::cause(request)?, change)).await
}

/// `POST …/comments/`
pub(crate) async fn add(
    ledger: &mut Ledger<'_>,
    order: &Order,
    addition: &Addition,
) -> Result<Answer, StoreError> {
    let Some(mut ticket) = ticket(ledger, order, addition.ticket).await? else {
        return Ok(Err(tickets::unknown()));
    };
    if let Some(comment) = added_by(ledger, ticket.id, &order.cause).await? {
        return Ok(Ok(http::json(201, &comment.object(&ticket, ledger.board(order)?))));
    }
    let comment = Comment {
        id: ledger.next_id("comment").await?,
        author: order.actor.person.clone(),
        message: addition.message.clone(),
        created_at: ledger.now,
        edited_at: 0,
    };
    insert(ledger, order, &ticket, &comment).await?;
    count(ledger, &mut ticket, 1).await?;
    let detail = json!({"comment_id": comment.id});
    activity::add(ledger, order, &ticket, Action::Commented, &detail).await?;
    let board = ledger.board(order)?;
    let (object, counted) = (comment.object(&ticket, board), comment.counted(&ticket, board));
    let frame = json!({"type": "comment_added", "data": counted, "actor": order.actor.person});
    ledger.tell(order, &frame)?;
    let mentioned: Vec<&Person> = addition.mentions.iter().map(|mention| &mention.person).collect();
    notices::of_comment(ledger, order, &ticket, comment.id, &mentioned, true)?;
    Ok(Ok(http::json(201, &object)))
}

/// `PATCH …/comments/{comment_id}/`
pub(crate) async fn edit(ledger: &mut Ledger<'_>, order: &Order, edit: &Edit) -> Result<Answer, StoreError> {
    let Some(mut ticket) = ticket(ledger, order, edit.ticket).await? else {
        return Ok(Err(tickets::unknown()));
    };
    let Some(mut comment) = find(ledger, ticket.id, edit.comment).await? else { return Ok(Err(unknown())) };
    if comment.author.id != order.actor.person.id {
        return Ok(Err(Problem::forbidden("only its author edits a comment")));
    }
    if ledger.is_repeated(order) || comment.message == edit.message {
        return Ok(Ok(http::json(200, &comment.object(&ticket, ledger.board(order)?))));
    }
    let before = std::mem::replace(&mut comment.message, edit.message.clone());
    comment.edited_at = ledger.now;
    sqlx::query("UPDATE comment SET message = $2, edited_at = $3 WHERE id = $1")
        .bind(comment.id)
        .bind(&comment.message)
        .bind(comment.edited_at)
        .execute(&mut **ledger.tx)
        .await?;
    count(ledger, &mut ticket, 0).await?;
    let detail =
        json!({"comment_id": comment.id, "changes": {"message": {"from": before, "to": comment.message}}});
    activity::add(ledger, order, &ticket, Action::CommentEdited, &detail).await?;
    let object = comment.object(&ticket, ledger.board(order)?);
    let frame = json!({"type": "comment_updated", "data": object, "actor": order.actor.person});
    ledger.tell(order, &frame)?;
    let mentioned: Vec<&Person> = mentions::fresh(&edit.mentions, &before).collect();
    notices::of_comment(ledger, order, &ticket, comment.id, &mentioned, false)?;
    Ok(Ok(http::json(200, &object)))
}

/// `DELETE …/comments/{comment_id}/`
pub(crate) async fn delete(
    ledger: &mut Ledger<'_>,
    order: &Order,
    deletion: &Deletion,
) -> Result<Answer, StoreError> {
    if ledger.is_repeated(order) {
        return Ok(Ok(http::no_content()));
    }
    let Some(mut ticket) = ticket(ledger, order, deletion.ticket).await? else {
        return Ok(Err(tickets::unknown()));
    };
    let Some(comment) = find(ledger, ticket.id, deletion.comment).await? else { return Ok(Err(unknown())) };
    if !order.actor.is_admin && comment.author.id != order.actor.person.id {
        return Ok(Err(Problem::forbidden("only its author, or an admin, deletes a comment")));
    }
    sqlx::query("DELETE FROM comment WHERE id = $1").bind(comment.id).execute(&mut **ledger.tx).await?;
    count(ledger, &mut ticket, -1).await?;
    let detail = json!({"comment_id": comment.id});
    activity::add(ledger, order, &ticket, Action::CommentDeleted, &detail).await?;
    let ticket_key = ledger.board(order)?.key_of(ticket.number);
    let data = json!({
        "comment_id": comment.id, "ticket_id": ticket.id, "ticket_key": ticket_key, "comments": ticket.comments,
    });
    ledger.tell(order, &json!({"type": "comment_deleted", "data": data, "actor": order.actor.person}))?;
    Ok(Ok(http::no_content()))
}

/// A text of bounded length.
fn message(body: Body) -> Result<String, Problem> {
    let message = body.message.trim().to_owned();
    match message.chars().count() {
        1..=MAX_MESSAGE if !message.contains('\0') => Ok(message),
        _ => Err(Problem::unprocessable("message", "must have 1 to 5000 characters")),
    }
}

async fn ticket(ledger: &mut Ledger<'_>, order: &Order, id: i64) -> Result<Option<Ticket>, StoreError> {
    tickets::find(ledger.tx, order.project.as_str(), id).await
}

async fn find(ledger: &mut Ledger<'_>, ticket: i64, id: i64) -> Result<Option<Comment>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM comment WHERE ticket_id = $1 AND id = $2");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(ticket).bind(id).fetch_optional(&mut **ledger.tx).await?;
    row.map(|row| Comment::of(&row)).transpose()
}

/// The comment of an order that was carried out before.
async fn added_by(ledger: &mut Ledger<'_>, ticket: i64, cause: &str) -> Result<Option<Comment>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM comment WHERE ticket_id = $1 AND cause = $2");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(ticket).bind(cause);
    let row = query.fetch_optional(&mut **ledger.tx).await?;
    row.map(|row| Comment::of(&row)).transpose()
}

async fn insert(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    comment: &Comment,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO comment (id, ticket_id, cause, author_id, author, message, created_at, edited_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
    )
    .bind(comment.id)
    .bind(ticket.id)
    .bind(&order.cause)
    .bind(comment.author.id.as_str())
    .bind(serde_json::to_string(&comment.author).map_err(StoreError::other)?)
    .bind(&comment.message)
    .bind(comment.created_at)
    .execute(&mut **ledger.tx)
    .await?;
    Ok(())
}

/// Counts so many more comments, and one more entry of the activity log.
async fn count(ledger: &mut Ledger<'_>, ticket: &mut Ticket, more: i64) -> Result<(), StoreError> {
    ticket.comments += more;
    ticket.activities += 1;
    sqlx::query("UPDATE ticket SET comments = $2, activities = $3 WHERE id = $1")
        .bind(ticket.id)
        .bind(ticket.comments)
        .bind(ticket.activities)
        .execute(&mut **ledger.tx)
        .await?;
    Ok(())
}

fn id_of(request: &HttpRequest) -> Result<i64, Problem> {
    http::parameter(request, "comment_id").parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::not_found("the ticket has no such comment")
}
