//! Who is notified of a change (S3-04): the new assignee, whoever is mentioned, and the reporter of a
//! ticket that is commented on. Once each, and never the one who acted.

use std::collections::BTreeSet;

use carillon_contract::{Id, Person, messages::Notice};
use carillon_store::StoreError;
use serde_json::json;

use crate::{
    tickets::Ticket,
    writing::{Ledger, Order},
};

/// The longest name within a message, in characters: the notification service would refuse what is too long.
const MAX_NAME: usize = 200;

/// What somebody is notified of.
#[derive(Clone, Copy)]
enum Reason {
    Assigned,
    Mentioned,
    Commented,
}

/// Notices of a ticket that was created or changed.
pub(crate) fn of_ticket<'p>(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    assigned: Option<&'p Person>,
    mentioned: impl Iterator<Item = &'p Person>,
) -> Result<(), StoreError> {
    let mut audience = Audience::without(&order.actor.person);
    let reasons = [(Reason::Assigned, audience.add(assigned)), (Reason::Mentioned, audience.add(mentioned))];
    owe(ledger, order, ticket, None, reasons)
}

/// Notices of a comment; `reporter` is notified as the one who reported the ticket.
pub(crate) fn of_comment<'p>(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    comment: i64,
    mentioned: impl Iterator<Item = &'p Person>,
    reporter: Option<&'p Person>,
) -> Result<(), StoreError> {
    let mut audience = Audience::without(&order.actor.person);
    let reasons = [(Reason::Mentioned, audience.add(mentioned)), (Reason::Commented, audience.add(reporter))];
    owe(ledger, order, ticket, Some(comment), reasons)
}

/// Those who are notified of a change. The first reason for which somebody is, is the one that counts.
struct Audience(BTreeSet<Id>);

impl Audience {
    /// The one who acted knows of it.
    fn without(actor: &Person) -> Self {
        Self(BTreeSet::from([actor.id.clone()]))
    }

    /// Those of them who are not notified yet.
    fn add<'p>(&mut self, people: impl IntoIterator<Item = &'p Person>) -> Vec<String> {
        let fresh = people.into_iter().filter(|person| self.0.insert(person.id.clone()));
        fresh.map(|person| person.id.to_string()).collect()
    }
}

fn owe(
    ledger: &mut Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    comment: Option<i64>,
    reasons: [(Reason, Vec<String>); 2],
) -> Result<(), StoreError> {
    for (reason, users) in reasons.into_iter().filter(|(_, users)| !users.is_empty()) {
        let notice = notice(ledger, order, ticket, comment, reason, users)?;
        ledger.owe(notice);
    }
    Ok(())
}

fn notice(
    ledger: &Ledger<'_>,
    order: &Order,
    ticket: &Ticket,
    comment: Option<i64>,
    reason: Reason,
    users: Vec<String>,
) -> Result<Notice, StoreError> {
    let key = ledger.board(order)?.key_of(ticket.number);
    let what = match comment {
        Some(comment) => format!("comment_{comment}"),
        None => format!("ticket_{}", ticket.id),
    };
    let actor: String = order.actor.person.display_name().chars().take(MAX_NAME).collect();
    let subject = &ticket.title;
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
        users,
        title: title.to_owned(),
        message,
        notification_type: kind.to_owned(),
        members: members.to_string().into(),
        cause: format!("project:{}:{}", order.project, order.cause),
        ..Notice::default()
    })
}
