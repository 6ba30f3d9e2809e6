//! A comment, as it is stored and as clients read it.

use carillon_contract::{Person, messages::HttpRequest};
use carillon_service::{
    http::{self, Problem},
    time::timestamp,
};
use carillon_store::StoreError;
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};

use crate::{
    people,
    tickets::Ticket,
    writing::{Board, Ledger},
};

/// What somebody said of a ticket.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comment {
    pub(super) id: i64,
    pub(super) author: Person,
    pub(super) message: String,
    pub(super) created_at: i64,
    /// 0: never.
    pub(super) edited_at: i64,
}

/// The columns of a [`Comment`].
pub(super) const COLUMNS: &str = "id, author, message, created_at, edited_at";

impl Comment {
    /// Reads a row of [`COLUMNS`].
    pub(super) fn of(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.try_get("id")?,
            author: people::read(&row.try_get::<String, _>("author")?)?,
            message: row.try_get("message")?,
            created_at: row.try_get("created_at")?,
            edited_at: row.try_get("edited_at")?,
        })
    }

    /// As clients read it.
    pub(super) fn object(&self, ticket: &Ticket, board: &Board) -> Value {
        json!({
            "comment_id": self.id,
            "ticket_id": ticket.id,
            "ticket_key": board.key_of(ticket.number),
            "author": self.author,
            "message": self.message,
            "created_at": timestamp(self.created_at),
            "edited_at": (self.edited_at > 0).then(|| timestamp(self.edited_at)),
        })
    }

    /// As those who listen are told of one that was added: with how many the ticket has now.
    pub(super) fn counted(&self, ticket: &Ticket, board: &Board) -> Value {
        let mut object = self.object(ticket, board);
        object["comments"] = ticket.comments.into();
        object
    }
}

/// What was told of a comment that was added, as its author was answered.
pub(crate) fn uncounted(counted: &Value) -> Value {
    let mut object = counted.clone();
    object.as_object_mut().map(|object| object.remove("comments"));
    object
}

/// A comment of a ticket. `None` if the ticket has no such one.
pub(super) async fn find(
    connection: &mut AnyConnection,
    ticket: i64,
    id: i64,
) -> Result<Option<Comment>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM comment WHERE ticket_id = $1 AND id = $2");
    let row = sqlx::query(AssertSqlSafe(sql)).bind(ticket).bind(id).fetch_optional(connection).await?;
    row.map(|row| Comment::of(&row)).transpose()
}

/// Counts so many more comments of a ticket, and one more entry of its activity log.
pub(super) async fn count(ledger: &mut Ledger<'_>, ticket: &mut Ticket, more: i64) -> Result<(), StoreError> {
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

/// The comment that a route names.
///
/// # Errors
/// 404 for what can't be a comment's id.
pub(super) fn id_of(request: &HttpRequest) -> Result<i64, Problem> {
    http::number(request, "comment_id").ok_or_else(unknown)
}

/// 404
pub(super) fn unknown() -> Problem {
    Problem::not_found("the ticket has no such comment")
}
