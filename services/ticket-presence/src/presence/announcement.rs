//! How a project hears who comes and goes, and who views which ticket (S3-03).

use carillon_contract::{Id, Person, messages::Variant};
use carillon_presence::{Announcer, Transition};
use carillon_store::{NewEvent, StoreError, Transaction};
use serde_json::{Value, json};

use super::place;
use crate::people;

/// Announces once for each user, however many its tabs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announcements;

impl Announcer for Announcements {
    async fn announce(
        &self,
        _: &mut Transaction,
        transitions: &[Transition],
    ) -> Result<Vec<NewEvent>, StoreError> {
        transitions.iter().map(announcement).collect()
    }
}

fn announcement(transition: &Transition) -> Result<NewEvent, StoreError> {
    let (channel, ticket) =
        place::read(&transition.topic).ok_or_else(|| StoreError::other("no project has such a topic"))?;
    let person = people::read(&transition.detail)?;
    let frame = match &ticket {
        None => user_status(&person, transition.joined, transition.size),
        Some(ticket) => ticket_viewing(&person, ticket, transition.joined),
    };
    Ok(NewEvent::new(channel, transition.cause(), vec![Variant::json(frame.to_string())]))
}

/// Document 3's frame, with the whole name, and how many users there are now.
pub(super) fn user_status(person: &Person, joined: bool, count: i64) -> Value {
    json!({
        "type": "user_status",
        "action": if joined { "joined" } else { "left" },
        "user_id": person.id,
        "username": person.display_name(),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "count": count,
    })
}

fn ticket_viewing(person: &Person, ticket: &Id, started: bool) -> Value {
    json!({
        "type": "ticket_viewing",
        "action": if started { "started" } else { "stopped" },
        "ticket_id": ticket,
        "user_id": person.id,
        "username": person.display_name(),
    })
}
