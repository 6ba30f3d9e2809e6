//! A comment, as it is stored and as clients read it.

use carillon_contract::Person;
use carillon_service::time::timestamp;
use carillon_store::StoreError;
use serde_json::{Value, json};
use sqlx::{Row as _, any::AnyRow};

use crate::{people, tickets::Ticket, writing::Board};

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
