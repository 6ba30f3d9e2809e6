//! What a change of a ticket comes to: each field that differs, from and to.

use serde_json::{Map, Value, json};

use super::{Ticket, update::Set};
use crate::writing::Board;

/// Applies fields to a ticket, and names those that changed.
pub(super) fn apply(ticket: &mut Ticket, set: &Set, board: &Board) -> Map<String, Value> {
    let before = ticket.clone();
    if let Some(title) = &set.title {
        ticket.title.clone_from(title);
    }
    if let Some(description) = &set.description {
        ticket.description.clone_from(description);
    }
    if let Some(status) = set.status {
        ticket.status = status;
    }
    if let Some(priority) = set.priority {
        ticket.priority = priority;
    }
    if let Some(assignee) = &set.assignee
        && ticket.assignee_id() != assignee.as_ref().map_or("", |person| person.id.as_str())
    {
        ticket.assignee.clone_from(assignee);
    }
    if let Some(labels) = &set.labels {
        ticket.labels.clone_from(labels);
    }
    if let Some(due_date) = &set.due_date {
        ticket.due_date.clone_from(due_date);
    }
    differences(&before, ticket, board)
}

fn differences(before: &Ticket, after: &Ticket, board: &Board) -> Map<String, Value> {
    let status = |ticket: &Ticket| board.status_object(ticket.status);
    let pairs = [
        ("title", json!(before.title), json!(after.title)),
        ("description", json!(before.description), json!(after.description)),
        ("status", status(before), status(after)),
        ("priority", json!(before.priority), json!(after.priority)),
        ("assignee", json!(before.assignee), json!(after.assignee)),
        ("labels", json!(before.labels), json!(after.labels)),
        ("due_date", json!(before.due_date), json!(after.due_date)),
    ];
    let changed = pairs.into_iter().filter(|(_, from, to)| from != to);
    changed.map(|(name, from, to)| (name.to_owned(), json!({"from": from, "to": to}))).collect()
}
