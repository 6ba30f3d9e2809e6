//! How a project hears who is typing (S3-03).

use carillon_contract::{Channel, Person};
use carillon_presence::typing::{Indicator, Typist};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::place;

/// Tells a project's presence channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frames;

impl Indicator for Frames {
    fn show(&self, typist: &Typist, person: &Value, is_typing: bool) -> Option<(Channel, Value)> {
        let (channel, ticket) = place::read(&typist.topic)?;
        let person = Person::deserialize(person).ok()?;
        let frame = json!({
            "type": "user_typing",
            "ticket_id": ticket?,
            "user_id": person.id,
            "username": person.display_name(),
            "is_typing": is_typing,
        });
        Some((channel, frame))
    }
}
