//! Who comes to a collaboration room, and who leaves it (S0-03).

use carillon_contract::{Channel, messages::Variant};
use carillon_presence::Transition;
use carillon_store::NewEvent;
use serde_json::{Value, json};

use crate::attendance::person;

/// A participant as the others see it.
pub(super) fn participant(member: &str, detail: &str) -> Value {
    person(detail).map_or_else(|| json!({"id": member}), |person| json!(person))
}

/// Said once for each user, however many its connections.
pub(super) fn event(channel: Channel, transition: &Transition) -> NewEvent {
    let kind = if transition.joined { "participant_joined" } else { "participant_left" };
    let frame = json!({
        "type": kind,
        "participant": participant(&transition.member, &transition.detail),
        "count": transition.size,
    });
    NewEvent::new(channel, transition.cause(), vec![Variant::json(frame.to_string())])
}
