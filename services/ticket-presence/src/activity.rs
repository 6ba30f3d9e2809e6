//! What has happened to a ticket.

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::{
    http::{self, Problem},
    time::timestamp,
};
use carillon_store::{StoreError, Transaction, values};
use serde_json::{Value, json};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};

use crate::{
    page, people,
    tickets::Ticket,
    writing::{Ledger, Order},
};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Created,
    Updated,
    Commented,
    CommentEdited,
    CommentDeleted,
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Commented => "commented",
            Self::CommentEdited => "comment_edited",
            Self::CommentDeleted => "comment_deleted",
        }
    }
}

/// An entry of a ticket's log.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) ticket: i64,
    number: i64,
    action: Action,
    /// JSON objects.
    actor: String,
    detail: String,
    at: i64,
}

/// Adds an entry whose number the ticket has counted already. `detail` is a JSON object.
pub(crate) fn add(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    action: Action,
    detail: &Value,
) -> Result<(), StoreError> {
    let actor = serde_json::to_string(&order.actor.person).map_err(StoreError::other)?;
    let (number, detail, at) = (ticket.activities, detail.to_string(), ledger.now);
    ledger.activity.push(Entry { ticket: ticket.id, number, action, actor, detail, at });
    Ok(())
}

/// Writes entries down.
pub(crate) async fn insert(tx: &mut Transaction, entries: &[Entry]) -> Result<(), StoreError> {
    for entries in entries.chunks(values::MAX_ROWS) {
        let rows = values::rows(entries.len(), 6);
        let sql =
            format!("INSERT INTO activity (ticket_id, number, action, actor, detail, at) VALUES {rows}");
        let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(entries.len()));
        let query = entries.iter().fold(query, |query, entry| {
            let query = query.bind(entry.ticket).bind(entry.number).bind(entry.action.as_str());
            query.bind(&entry.actor).bind(&entry.detail).bind(entry.at)
        });
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// A page of a ticket's log.
pub(crate) async fn page(
    connection: &mut AnyConnection,
    request: &HttpRequest,
    ticket: i64,
) -> Result<HttpReply, Problem> {
    let limit = http::limit(request, DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = http::query::<i64>(request, "after")?.unwrap_or(0);
    let sql = format!(
        "SELECT number, action, actor, detail, at FROM activity WHERE ticket_id = $1 AND number > $2 \
         ORDER BY number LIMIT {}",
        limit + 1
    );
    let query = sqlx::query(AssertSqlSafe(sql)).bind(ticket).bind(after);
    let rows = query.fetch_all(connection).await.map_err(StoreError::from)?;
    let found = rows.iter().take(limit).map(object).collect::<Result<Vec<_>, _>>()?;
    let entries = page::fitting(found.into_iter());
    let next = entries.last().filter(|_| entries.len() < rows.len()).map(|last| last["number"].clone());
    Ok(http::json(200, &json!({"activity": entries, "next": next})))
}

/// An entry as clients read it.
fn object(row: &AnyRow) -> Result<Value, StoreError> {
    let mut entry: Value =
        serde_json::from_str(&row.try_get::<String, _>("detail")?).map_err(StoreError::other)?;
    entry["number"] = row.try_get::<i64, _>("number")?.into();
    entry["action"] = row.try_get::<String, _>("action")?.into();
    entry["actor"] = json!(people::read(&row.try_get::<String, _>("actor")?)?);
    entry["at"] = timestamp(row.try_get("at")?).into();
    Ok(entry)
}
