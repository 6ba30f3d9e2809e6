//! `DELETE /api/projects/{project_id}/tickets/{ticket_id}/`

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use carillon_store::StoreError;
use serde_json::json;

use super::{find, id_of, unknown};
use crate::{
    access::Asked,
    service::Projects,
    writing::{Answer, Change, Ledger, Order, ticket_update},
};

/// The end of a ticket, with all that belongs to it.
#[derive(Debug)]
pub(crate) struct Deletion {
    pub(crate) ticket: i64,
}

const STATEMENTS: [&str; 4] = [
    "DELETE FROM ticket WHERE id = $1",
    "DELETE FROM ticket_label WHERE ticket_id = $1",
    "DELETE FROM comment WHERE ticket_id = $1",
    "DELETE FROM activity WHERE ticket_id = $1",
];

pub(super) async fn answer(projects: &Projects, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (project, caller) = projects.access.visit(request, Asked::default()).await?;
    let change = Change::DeleteTicket(Deletion { ticket: id_of(request)? });
    projects.writing.submit(Order::new(project, caller, http::cause(request)?, change)).await
}

/// Deletes a ticket. Its number is not given out again.
pub(crate) async fn delete(
    ledger: &mut Ledger<'_>,
    order: &Order,
    deletion: &Deletion,
) -> Result<Answer, StoreError> {
    let Some(ticket) = find(ledger.tx, order.project.as_str(), deletion.ticket).await? else {
        return Ok(Err(unknown()));
    };
    if !order.actor.is_admin && ticket.reporter.id != order.actor.person.id {
        return Ok(Err(Problem::forbidden("only who reported a ticket, or an admin, deletes it")));
    }
    for statement in STATEMENTS {
        sqlx::query(statement).bind(ticket.id).execute(&mut **ledger.tx).await?;
    }
    // Of this transaction's earlier orders.
    ledger.activity.retain(|entry| entry.ticket != ticket.id);
    let object = ticket.object(ledger.board(order)?);
    ledger.tell(order, ticket_update("deleted", &object, &json!({}), &order.actor.person))?;
    Ok(Ok(http::no_content()))
}
