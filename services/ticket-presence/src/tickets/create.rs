//! `POST /api/projects/{project_id}/tickets/`

use carillon_contract::{
    Person,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::{StoreError, values};
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::{
    Ticket,
    fields::Fields,
    priority::Priority,
    ticket::{self, COLUMNS},
};
use crate::{
    activity::{self, Action},
    mentions::{self, Mention},
    notices,
    service::Projects,
    statuses::StatusRef,
    writing::{Answer, Change, Ledger, Order, Sequence, ticket_update},
};

/// A ticket to be.
#[derive(Debug)]
pub(crate) struct Creation {
    title: String,
    description: String,
    status: Option<StatusRef>,
    priority: Priority,
    assignee: Option<Person>,
    labels: Vec<String>,
    due_date: Option<String>,
    mentions: Vec<Mention>,
}

pub(super) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let fields = http::body::<Fields>(request)?.check()?;
    let (project, caller) = projects.access.visit(request, fields.asked()).await?;
    if fields.version.is_some() {
        return Err(Problem::unprocessable("version", "a new ticket has none yet"));
    }
    let assignee = fields.assignee(&project)?.flatten();
    let mentions = mentions::members(&project, &fields.mentioned());
    let title =
        fields.title.ok_or_else(|| Problem::unprocessable("title", "must have 1 to 200 characters"))?;
    let creation = Creation {
        title,
        description: fields.description.unwrap_or_default(),
        status: fields.status,
        priority: fields.priority.unwrap_or_default(),
        assignee,
        labels: fields.labels.unwrap_or_default(),
        due_date: fields.due_date.flatten(),
        mentions,
    };
    let order = Order::new(project, caller, http::cause(request)?, Change::CreateTicket(creation));
    projects.writing.submit(order).await
}

/// Creates a ticket: the next number is its own.
pub(crate) async fn create(
    ledger: &mut Ledger<'_>,
    order: &Order,
    creation: &Creation,
) -> Result<Answer, StoreError> {
    let board = ledger.board_mut(order)?;
    let status = match board.resolve(creation.status.as_ref()) {
        Ok(status) => status,
        Err(problem) => return Ok(Err(problem)),
    };
    let number = board.last_number + 1;
    let id = ledger.take_id(Sequence::Ticket)?;
    let ticket = Ticket {
        id,
        number,
        title: creation.title.clone(),
        description: creation.description.clone(),
        status,
        priority: creation.priority,
        assignee: creation.assignee.clone(),
        reporter: order.actor.person.clone(),
        labels: creation.labels.clone(),
        due_date: creation.due_date.clone(),
        comments: 0,
        version: 1,
        activities: 1,
        created_at: ledger.now,
        updated_at: ledger.now,
    };
    if !insert(ledger, order, &ticket).await? {
        return created_before(ledger, order).await;
    }
    ledger.board_mut(order)?.last_number = number;
    insert_labels(ledger, &ticket).await?;
    activity::add(ledger, order, &ticket, Action::Created, &json!({}))?;
    let object = ticket.object(ledger.board(order)?);
    ledger.tell(order, ticket_update("created", &object, &json!({}), &order.actor.person))?;
    let mentioned = creation.mentions.iter().map(|mention| &mention.person);
    notices::of_ticket(ledger, order, &ticket, ticket.assignee.as_ref(), mentioned)?;
    Ok(Ok(http::json(201, &object)))
}

/// The ticket as it is now of an order that was carried out so long ago that the log has forgotten it.
async fn created_before(ledger: &mut Ledger<'_>, order: &Order) -> Result<Answer, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM ticket WHERE project_id = $1 AND cause = $2");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(order.project.as_str()).bind(&order.cause);
    let ticket = Ticket::of(&query.fetch_one(&mut **ledger.tx).await?)?;
    Ok(Ok(http::json(201, &ticket.object(ledger.board(order)?))))
}

/// Writes a ticket down, unless the order has one already.
async fn insert(ledger: &mut Ledger<'_>, order: &Order, ticket: &Ticket) -> Result<bool, StoreError> {
    let folded = ticket.folded(ledger.board(order)?);
    let query = sqlx::query(
        "INSERT INTO ticket (id, project_id, number, cause, title, folded, description, status, priority, \
         assignee_id, assignee, reporter_id, reporter, labels, due_date, comments, version, activities, \
         created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, 1, 1, $16, $16) \
         ON CONFLICT (project_id, cause) DO NOTHING",
    );
    let query = query
        .bind(ticket.id)
        .bind(order.project.as_str())
        .bind(ticket.number)
        .bind(&order.cause)
        .bind(&ticket.title)
        .bind(folded)
        .bind(&ticket.description)
        .bind(ticket.status)
        .bind(ticket.priority.number())
        .bind(ticket.assignee_id())
        .bind(ticket::stored(ticket.assignee.as_ref())?)
        .bind(ticket.reporter.id.as_str())
        .bind(ticket::stored(Some(&ticket.reporter))?)
        .bind(serde_json::to_string(&ticket.labels).map_err(StoreError::other)?)
        .bind(ticket.due_date.as_deref().unwrap_or_default())
        .bind(ticket.created_at);
    Ok(query.execute(&mut **ledger.tx).await?.rows_affected() > 0)
}

/// Writes a ticket's labels down, to be found by.
pub(super) async fn insert_labels(ledger: &mut Ledger<'_>, ticket: &Ticket) -> Result<(), StoreError> {
    if ticket.labels.is_empty() {
        return Ok(());
    }
    let rows = values::rows(ticket.labels.len(), 2);
    let sql = format!("INSERT INTO ticket_label (ticket_id, label) VALUES {rows}");
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(values::is_kept(ticket.labels.len()));
    let query = ticket.labels.iter().fold(query, |query, label| query.bind(ticket.id).bind(label));
    query.execute(&mut **ledger.tx).await?;
    Ok(())
}
