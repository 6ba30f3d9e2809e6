//! What clients say to a counter.

use carillon_contract::{Id, messages::FrameReply};
use carillon_service::Failure;
use serde_json::Value;

use super::{
    Counters, Outcome,
    update::{Action, Change, EXPECTED, LARGEST, Update},
};
use crate::{
    reply::{Refusal, refused, silence},
    visitor::Visitor,
};

/// Handles one frame. What it does is published, to its sender too.
pub(super) async fn handle(
    counters: &Counters,
    visitor: &Visitor,
    number: u64,
    payload: &[u8],
) -> Result<FrameReply, Failure> {
    let (change, client_id) = match read(payload) {
        Ok(read) => read,
        Err((refusal, client_id)) => return Ok(refused(&refusal, client_id.as_ref())),
    };
    let channel = visitor.channel()?;
    let update = Update::of_frame(&visitor.name, channel, change, &visitor.connection, number);
    Ok(match counters.apply(update).await? {
        Outcome::Applied { .. } | Outcome::Repeated { .. } | Outcome::CauseTaken => silence(),
        Outcome::OutOfRange => refused(&out_of_range(), client_id.as_ref()),
    })
}

/// Why a total is not what it would be.
pub(super) fn out_of_range() -> Refusal {
    Refusal::new("out_of_range", format!("The counter stays between -{LARGEST} and {LARGEST}"))
}

/// Document 2's words for what is wrong, and ours for a value. The client's own id comes back with it.
fn read(payload: &[u8]) -> Result<(Change, Option<Id>), (Refusal, Option<Id>)> {
    let frame: Value = serde_json::from_slice(payload)
        .map_err(|_| (Refusal::new("invalid_json", "Invalid JSON format"), None))?;
    let client_id = frame.get("client_id").and_then(|id| serde_json::from_value::<Id>(id.clone()).ok());
    let action = frame.get("action").and_then(Value::as_str).and_then(Action::parse);
    let Some(action) = action else { return Err((crate::reply::wrong_format(), client_id)) };
    match Change::new(action, frame.get("value")) {
        Some(change) => Ok((change, client_id)),
        None => Err((Refusal::new("invalid_value", format!("Invalid value ({EXPECTED})")), client_id)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// S2-06
    #[test]
    fn the_document_s_frames_are_understood() {
        for (payload, action, value) in [
            (r#"{"action":"increment","value":1}"#, Action::Increment, 1),
            (r#"{"action":"decrement","value":1}"#, Action::Decrement, 1),
            (r#"{"action":"reset","value":0}"#, Action::Reset, 0),
            (r#"{"action":"increment","value":5}"#, Action::Increment, 5),
            (r#"{"action":"increment"}"#, Action::Increment, 1),
            (r#"{"action":"reset"}"#, Action::Reset, 0),
        ] {
            let (change, _) = read(payload.as_bytes()).expect("a change");
            assert_eq!(change, Change { action, value }, "{payload}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (payload, message) in [
            ("{", "Invalid JSON format"),
            ("", "Invalid JSON format"),
            ("[]", "Invalid message format"),
            ("{}", "Invalid message format"),
            (r#"{"action":"double"}"#, "Invalid message format"),
            (r#"{"action":7,"value":1}"#, "Invalid message format"),
            (
                r#"{"action":"increment","value":0.5}"#,
                "Invalid value (a whole number from -9007199254740991 to 9007199254740991)",
            ),
        ] {
            assert_eq!(read(payload.as_bytes()).expect_err("a refusal").0.message, message, "{payload}");
        }
        let (_, id) = read(br#"{"action":"increment","value":"1","client_id":7}"#).expect_err("a refusal");
        assert_eq!(id, Some(Id::from(7)));
    }

    proptest! {
        /// Arbitrary bytes never panic.
        #[test]
        fn reading_holds_against_anything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
