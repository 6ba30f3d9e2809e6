//! `POST /api/projects/{project_id}/tickets/`

use carillon_contract::{
    Person,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
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
    writing::{Answer, Change, Ledger, Order, ticket_update},
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
    let mentions = mentions::members(&project, fields.mentioned());
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
    let board = ledger.board(order)?;
    let project = board.project.to_string();
    if let Some(ticket) = created_by(ledger, &project, &order.cause).await? {
        return Ok(Ok(http::json(201, &ticket.object(ledger.board(order)?))));
    }
    let board = ledger.board_mut(order)?;
    let status = match board.resolve(creation.status.as_ref()) {
        Ok(status) => status,
        Err(problem) => return Ok(Err(problem)),
    };
    let number = board.take_number();
    let id = ledger.next_id("ticket").await?;
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
    insert(ledger, order, &ticket).await?;
    insert_labels(ledger, &ticket).await?;
    activity::add(ledger, order, &ticket, Action::Created, &json!({})).await?;
    let object = ticket.object(ledger.board(order)?);
    let event = ticket_update("created", &object, None, &order.actor.person);
    ledger.tell(order, &event)?;
    let mentioned: Vec<&Person> = creation.mentions.iter().map(|mention| &mention.person).collect();
    notices::of_ticket(ledger, order, &ticket, ticket.assignee.as_ref(), &mentioned)?;
    Ok(Ok(http::json(201, &object)))
}

/// The ticket of an order that was carried out before.
async fn created_by(
    ledger: &mut Ledger<'_>,
    project: &str,
    cause: &str,
) -> Result<Option<Ticket>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM ticket WHERE project_id = $1 AND cause = $2");
    let query = sqlx::query(AssertSqlSafe(sql)).bind(project).bind(cause);
    let row = query.fetch_optional(&mut **ledger.tx).await?;
    row.map(|row| Ticket::of(&row)).transpose()
}

async fn insert(ledger: &mut Ledger<'_>, order: &Order, ticket: &Ticket) -> Result<(), StoreError> {
    let folded = ticket.folded(ledger.board(order)?);
    let query = sqlx::query(
        "INSERT INTO ticket (id, project_id, number, cause, title, folded, description, status, priority, \
         assignee_id, assignee, reporter_id, reporter, labels, due_date, comments, version, activities, \
         created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, 1, 1, $16, $16)",
    );
    query
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
        .bind(ticket.created_at)
        .execute(&mut **ledger.tx)
        .await?;
    Ok(())
}

/// Writes a ticket's labels down, to be found by.
pub(super) async fn insert_labels(ledger: &mut Ledger<'_>, ticket: &Ticket) -> Result<(), StoreError> {
    for label in &ticket.labels {
        sqlx::query("INSERT INTO ticket_label (ticket_id, label) VALUES ($1, $2)")
            .bind(ticket.id)
            .bind(label)
            .execute(&mut **ledger.tx)
            .await?;
    }
    Ok(())
}
