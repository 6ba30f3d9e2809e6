//! `PATCH /api/projects/{project_id}/tickets/{ticket_id}/`

use carillon_contract::{
    Person,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::{Value, json};

use super::{
    Ticket, changes, create::insert_labels, fields::Fields, find, id_of, priority::Priority, ticket, unknown,
};
use crate::{
    activity::{self, Action},
    mentions::{self, Mention},
    notices,
    service::Projects,
    statuses::StatusRef,
    writing::{Answer, Change, Ledger, Order, ticket_update},
};

/// A change of a ticket.
#[derive(Debug)]
pub(crate) struct Update {
    pub(crate) ticket: i64,
    /// The version that the caller has seen, if it tells.
    version: Option<i64>,
    status: Option<StatusRef>,
    set: Set,
    mentions: Vec<Mention>,
}

/// What fields are set to.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) status: Option<i64>,
    pub(super) priority: Option<Priority>,
    pub(super) assignee: Option<Option<Person>>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) due_date: Option<Option<String>>,
}

pub(super) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let fields = http::body::<Fields>(request)?.check()?;
    let (project, caller) = projects.access.visit(request, fields.asked()).await?;
    let ticket = id_of(request)?;
    let assignee = fields.assignee(&project)?;
    let mentions = mentions::members(&project, &fields.mentioned());
    let Fields { title, description, status, priority, labels, due_date, version, .. } = fields;
    let set = Set { title, description, status: None, priority, assignee, labels, due_date };
    let update = Update { ticket, version, status, set, mentions };
    let order = Order::new(project, caller, http::cause(request)?, Change::UpdateTicket(update));
    projects.writing.submit(order).await
}

/// Changes a ticket, unless it has changed since the caller saw it.
pub(crate) async fn update(
    ledger: &mut Ledger<'_>,
    order: &Order,
    update: &Update,
) -> Result<Answer, StoreError> {
    let Some(before) = find(ledger.tx, order.project.as_str(), update.ticket).await? else {
        return Ok(Err(unknown()));
    };
    let board = ledger.board(order)?;
    let current = before.object(board);
    if update.version.is_some_and(|version| version != before.version) {
        return Ok(Err(outdated(current)));
    }
    let mut set = update.set.clone();
    if update.status.is_some() {
        set.status = match board.resolve(update.status.as_ref()) {
            Ok(status) => Some(status),
            Err(problem) => return Ok(Err(problem)),
        };
    }
    let mut after = before.clone();
    let changes = changes::apply(&mut after, &set, board);
    if changes.is_empty() {
        return Ok(Ok(http::json(200, &current)));
    }
    after.version += 1;
    after.activities += 1;
    after.updated_at = ledger.now;
    save(ledger, order, &after).await?;
    if before.labels != after.labels {
        replace_labels(ledger, &after).await?;
    }
    let (object, changes) = (after.object(ledger.board(order)?), Value::Object(changes));
    activity::add(ledger, order, &after, Action::Updated, &json!({"changes": changes}))?;
    ledger.tell(order, ticket_update("updated", &object, &changes, &order.actor.person))?;
    let assigned = after.assignee.as_ref().filter(|_| before.assignee_id() != after.assignee_id());
    let mentioned = mentions::fresh(&update.mentions, &before.description);
    notices::of_ticket(ledger, order, &after, assigned, mentioned)?;
    Ok(Ok(http::json(200, &object)))
}

/// 409 with the ticket as it is now, so that the caller can decide anew.
fn outdated(current: Value) -> Problem {
    let detail = format!("the ticket has changed since: its version is {}", current["version"]);
    Problem::conflict(&detail).and("ticket", current)
}

async fn save(ledger: &mut Ledger<'_>, order: &Order, ticket: &Ticket) -> Result<(), StoreError> {
    let folded = ticket.folded(ledger.board(order)?);
    let query = sqlx::query(
        "UPDATE ticket SET title = $2, folded = $3, description = $4, status = $5, priority = $6, \
         assignee_id = $7, assignee = $8, labels = $9, due_date = $10, version = $11, activities = $12, \
         updated_at = $13 WHERE id = $1",
    );
    query
        .bind(ticket.id)
        .bind(&ticket.title)
        .bind(folded)
        .bind(&ticket.description)
        .bind(ticket.status)
        .bind(ticket.priority.number())
        .bind(ticket.assignee_id())
        .bind(ticket::stored(ticket.assignee.as_ref())?)
        .bind(serde_json::to_string(&ticket.labels).map_err(StoreError::other)?)
        .bind(ticket.due_date.as_deref().unwrap_or_default())
        .bind(ticket.version)
        .bind(ticket.activities)
        .bind(ticket.updated_at)
        .execute(&mut **ledger.tx)
        .await?;
    Ok(())
}

async fn replace_labels(ledger: &mut Ledger<'_>, ticket: &Ticket) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM ticket_label WHERE ticket_id = $1")
        .bind(ticket.id)
        .execute(&mut **ledger.tx)
        .await?;
    insert_labels(ledger, ticket).await
}
