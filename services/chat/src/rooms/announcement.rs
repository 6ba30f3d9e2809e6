//! How a chat room hears that someone has come or left (S2-02).

use carillon_contract::{Channel, messages::Variant};
use carillon_presence::Transition;
use carillon_store::NewEvent;
use serde_json::json;

use crate::attendance::person;

/// Document 2's frame, which says once for each user, however many its tabs, who it is.
pub(crate) fn announcement(channel: Channel, transition: &Transition) -> NewEvent {
    let (event, message) = match transition.joined {
        true => ("user_joined", "A user joined the room"),
        false => ("user_left", "A user left the room"),
    };
    let mut frame = json!({"type": "notification", "message": message, "event": event});
    match person(&transition.detail) {
        Some(person) => {
            frame["username"] = person.display_name().into();
            frame["user_id"] = json!(person.id);
        }
        None => frame["anonymous"] = true.into(),
    }
    let cause = format!("presence:{}", transition.version);
    let event = NewEvent::new(channel, cause, vec![Variant::json(frame.to_string())]);
    // Who comes knows it.
    let except_connection = if transition.joined { transition.connection.clone() } else { String::new() };
    NewEvent { except_connection, ..event }
}
