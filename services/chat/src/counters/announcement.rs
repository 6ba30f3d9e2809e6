//! How many users are at a counter (S2-06).

use std::collections::BTreeMap;

use carillon_contract::{Channel, messages::Variant};
use carillon_presence::Transition;
use carillon_store::{NewEvent, StoreError};
use serde_json::{Value, json};

/// Document 2's frame.
pub(super) fn user_count(count: i64) -> Value {
    json!({"type": "user_count_update", "count": count})
}

/// One event for each counter, however many come and go at once: the last count is the one that holds.
pub(crate) fn announcements(transitions: &[&Transition]) -> Result<Vec<NewEvent>, StoreError> {
    let last: BTreeMap<&str, &Transition> =
        transitions.iter().map(|transition| (transition.topic.as_str(), *transition)).collect();
    last.into_values().map(announcement).collect()
}

fn announcement(transition: &Transition) -> Result<NewEvent, StoreError> {
    let channel: Channel = transition.topic.parse().map_err(StoreError::other)?;
    let frame = user_count(transition.size).to_string();
    Ok(NewEvent::new(channel, transition.cause(), vec![Variant::json(frame)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transition(topic: &str, size: i64, version: i64) -> Transition {
        Transition {
            topic: topic.to_owned(),
            member: version.to_string(),
            detail: String::new(),
            connection: String::new(),
            joined: true,
            size,
            version,
        }
    }

    #[test]
    fn the_last_count_of_each_counter_is_told() {
        let transitions =
            [transition("counter.a", 1, 7), transition("counter.b", 4, 1), transition("counter.a", 2, 8)];
        let events = announcements(&transitions.iter().collect::<Vec<_>>()).expect("events");
        let told: Vec<_> = events
            .iter()
            .map(|event| (event.channel.as_str(), String::from_utf8_lossy(&event.variants[0].json)))
            .collect();
        assert_eq!(told[0], ("counter.a", r#"{"count":2,"type":"user_count_update"}"#.into()));
        assert_eq!(told[1], ("counter.b", r#"{"count":4,"type":"user_count_update"}"#.into()));
        assert_eq!(events.len(), 2);
    }
}
