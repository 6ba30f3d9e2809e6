//! Who is notified of a change (S3-04): the new assignee, whoever is mentioned, and the reporter of a
//! ticket that is commented on. Once each, and never the one who acted.

use std::collections::BTreeSet;

use carillon_contract::{Person, messages::Notice};
use carillon_store::StoreError;
use serde_json::json;

use crate::{
    tickets::Ticket,
    writing::{Ledger, Order},
};

/// The longest title within a message, in characters.
const MAX_TITLE: usize = 200;

/// What somebody is notified of.
#[derive(Clone, Copy)]
enum Reason {
    Assigned,
    Mentioned,
    Commented,
}

/// Notices of a ticket that was created or changed.
pub(crate) fn of_ticket(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    assigned: Option<&Person>,
    mentioned: &[&Person],
) -> Result<(), StoreError> {
    let assigned = assigned.map(|person| (person, Reason::Assigned));
    let mentioned = mentioned.iter().map(|person| (*person, Reason::Mentioned));
    owe(ledger, order, ticket, assigned.into_iter().chain(mentioned), None)
}

/// Notices of a comment.
pub(crate) fn of_comment(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    comment: i64,
    mentioned: &[&Person],
    is_new: bool,
) -> Result<(), StoreError> {
    let mentioned = mentioned.iter().map(|person| (*person, Reason::Mentioned));
    let reporter = is_new.then_some((&ticket.reporter, Reason::Commented));
    owe(ledger, order, ticket, mentioned.chain(reporter), Some(comment))
}

/// The first reason for which somebody is notified is the one that counts.
fn owe<'p>(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    notified: impl Iterator<Item = (&'p Person, Reason)>,
    comment: Option<i64>,
) -> Result<(), StoreError> {
    let mut done = BTreeSet::from([order.actor.person.id.clone()]);
    for (person, reason) in notified {
        if done.insert(person.id.clone()) {
            let notice = notice(ledger, order, ticket, (person, reason), comment)?;
            ledger.owe(notice);
        }
    }
    Ok(())
}

fn notice(
    ledger: &Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    (person, reason): (&Person, Reason),
    comment: Option<i64>,
) -> Result<Notice, StoreError> {
    let key = ledger.board(order)?.key_of(ticket.number);
    let what = match comment {
        Some(comment) => format!("comment_{comment}"),
        None => format!("ticket_{}", ticket.id),
    };
    let actor = order.actor.person.display_name();
    let subject: String = ticket.title.chars().take(MAX_TITLE).collect();
    let (kind, title, message) = match reason {
        Reason::Assigned => {
            ("ticket_assigned", "Ticket Assigned", format!("You were assigned to {key}: {subject}"))
        }
        Reason::Mentioned => {
            ("ticket_mentioned", "You Were Mentioned", format!("{actor} mentioned you in {key}: {subject}"))
        }
        Reason::Commented => {
            ("comment_added", "New Comment", format!("{actor} commented on {key}: {subject}"))
        }
    };
    let suffix = kind.rsplit('_').next().unwrap_or(kind);
    let mut members = json!({
        "id": format!("{what}_{suffix}"),
        "project_id": order.project,
        "ticket_id": ticket.id,
        "ticket_key": key,
        "actor": order.actor.person,
    });
    if let Some(comment) = comment {
        members["comment_id"] = comment.into();
    }
    Ok(Notice {
        users: vec![person.id.to_string()],
        title: title.to_owned(),
        message,
        notification_type: kind.to_owned(),
        members: members.to_string().into(),
        cause: format!("project:{}:{}", order.project, order.cause),
        ..Notice::default()
    })
}
