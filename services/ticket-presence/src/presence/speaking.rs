//! Carrying out what a client says at an endpoint with presence.

use carillon_contract::{Channel, Id, messages::FrameReply};
use carillon_presence::typing;
use carillon_service::{
    Failure,
    reply::{Refusal, refused, silence},
};
use carillon_store::{Database, StoreError};
use serde_json::json;
use sqlx::Row as _;

use super::{
    Attendance,
    frame::{self, Said},
    place,
    visitor::Visitor,
};

/// Handles one frame. What follows from it is told to everyone, so its sender is told of refusals alone.
pub(super) async fn handle(
    attendance: &Attendance,
    visitor: &Visitor,
    number: u64,
    payload: &[u8],
) -> Result<FrameReply, Failure> {
    let (said, client_id) = frame::read(payload);
    let said = match said {
        Ok(said) => said,
        Err(refusal) => return Ok(refused(&refusal, client_id.as_ref())),
    };
    if let Some(ticket) = said.ticket()
        && !has(&attendance.database, &visitor.project, ticket).await?
    {
        let refusal = Refusal::new("unknown_ticket", "There is no such ticket in this project");
        return Ok(refused(&refusal, client_id.as_ref()));
    }
    let scope = visitor.scope()?;
    match said {
        Said::Viewing { ticket_id } => {
            let topic = ticket_id.map(|ticket| place::topic(&scope, &ticket));
            attendance.presence.move_to(visitor.position(topic, number)?).await?;
        }
        Said::Typing { ticket_id, is_typing } => {
            attendance.typists.said(typing(visitor, &scope, &ticket_id, number, is_typing)).await;
        }
    }
    Ok(silence())
}

fn typing(visitor: &Visitor, scope: &Channel, ticket: &Id, number: u64, is_typing: bool) -> typing::Said {
    let typist = typing::Typist { topic: place::topic(scope, ticket), user: visitor.user().to_owned() };
    let (person, connection) = (json!(visitor.person), visitor.connection.clone());
    typing::Said { typist, person, connection, number, is_typing }
}

/// Whether a project has such a ticket. One that has never had any here keeps them elsewhere, by
/// whatever ids.
async fn has(database: &Database, project: &str, ticket: &Id) -> Result<bool, StoreError> {
    let number = ticket.as_str().parse::<i64>().ok();
    let id = number.filter(|id| id.to_string() == ticket.as_str()).unwrap_or_default();
    let row = sqlx::query(
        "SELECT CAST(CASE WHEN EXISTS (SELECT 1 FROM ticket WHERE id = $1 AND project_id = $2) \
             OR NOT EXISTS (SELECT 1 FROM project WHERE id = $2 AND last_number > 0) THEN 1 ELSE 0 END AS BIGINT)",
    )
    .bind(id)
    .bind(project)
    .fetch_one(database.reader())
    .await?;
    Ok(row.try_get::<i64, _>(0)? > 0)
}
