//! What clients send over the socket: marking notifications as read.

use carillon_contract::{
    Dialect, Id,
    messages::{FrameReply, FrameRequest, Session},
};
use carillon_service::{Failure, Publisher};
use serde_json::{Value, json};

use crate::{
    inbox::{Change, Changed, Inboxes, Reference},
    session::{EVENTS, endpoint_of},
};

/// So much of an unknown type is told back.
const MAX_TYPE_SHOWN: usize = 50;

/// What a frame asks for.
#[derive(Debug, PartialEq, Eq)]
enum Command {
    MarkRead(Id),
    MarkAllRead(Option<Id>),
}

/// Handles one frame, once: its connection and number are its cause.
pub(crate) async fn handle(
    inboxes: &Inboxes,
    publisher: &Publisher,
    request: FrameRequest,
) -> Result<FrameReply, Failure> {
    let session = request.session.ok_or_else(|| Failure::Malformed("no session".to_owned()))?;
    let endpoint = endpoint_of(&session)?;
    let command = match command(&request.payload, endpoint.invalid_json, endpoint.name != EVENTS) {
        Ok(command) => command,
        Err(message) => return Ok(error(&message)),
    };
    let Some(identity) = &session.identity else {
        return Ok(error("Only a user with a token has notifications to mark"));
    };
    let cause = format!("{}:{}", session.connection, request.number);
    match inboxes.change(&identity.user, &command.change(&session), &cause).await? {
        None => Ok(error("Unknown notification")),
        Some(changed) => {
            publisher.publish(changed.event.as_slice()).await;
            Ok(reply(&command.answer(&changed)))
        }
    }
}

fn command(payload: &[u8], invalid_json: &str, marks: bool) -> Result<Command, String> {
    let value: Value = serde_json::from_slice(payload).map_err(|_| invalid_json.to_owned())?;
    let kind = value.get("type").and_then(Value::as_str).ok_or("Invalid message format")?;
    match kind {
        "mark_read" if marks => {
            let id = id(&value, "notification_id")?.or(id(&value, "id")?);
            id.map(Command::MarkRead).ok_or_else(|| "mark_read needs the id of a notification".to_owned())
        }
        "mark_all_read" if marks => Ok(Command::MarkAllRead(id(&value, "up_to")?)),
        other => {
            let shown: String = other.chars().take(MAX_TYPE_SHOWN).collect();
            Err(format!("Unknown message type: {shown}"))
        }
    }
}

fn id(value: &Value, field: &str) -> Result<Option<Id>, String> {
    match value.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(id) => serde_json::from_value(id.clone())
            .map(Some)
            .map_err(|_| format!("{field} must be the id of a notification")),
    }
}

impl Command {
    /// A client of document 3 knows a notification by its sender's id first.
    fn change(&self, session: &Session) -> Change {
        let ticketing = Dialect::named(&session.dialect) == Some(Dialect::Ticketing);
        let reference = |id: &Id| match ticketing {
            true => Reference::external(id.as_str()),
            false => Reference::new(id.as_str()),
        };
        match self {
            Self::MarkRead(id) => Change::Read(reference(id)),
            Self::MarkAllRead(up_to) => Change::ReadAll(up_to.as_ref().map(reference)),
        }
    }

    fn answer(&self, changed: &Changed) -> Value {
        let (count, version) = (changed.counts.unread, changed.version);
        match self {
            Self::MarkRead(id) => {
                json!({"type": "marked_read", "id": id, "count": count, "version": version})
            }
            Self::MarkAllRead(_) => json!({
                "type": "marked_all_read", "marked": changed.changed, "count": count, "version": version,
            }),
        }
    }
}

fn reply(frame: &Value) -> FrameReply {
    FrameReply { frames: vec![frame.to_string().into()], ..FrameReply::default() }
}

fn error(message: &str) -> FrameReply {
    reply(&json!({"type": "error", "message": message}))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(payload: &str) -> Result<Command, String> {
        command(payload.as_bytes(), "Invalid JSON", true)
    }

    #[test]
    fn marks_are_understood() {
        let id = |text: &str| Id::new(text).expect("an id");
        assert_eq!(parsed(r#"{"type":"mark_read","id":7}"#), Ok(Command::MarkRead(id("7"))));
        let both = r#"{"type":"mark_read","id":"ticket","notification_id":7}"#;
        assert_eq!(parsed(both), Ok(Command::MarkRead(id("7"))));
        assert_eq!(parsed(r#"{"type":"mark_all_read"}"#), Ok(Command::MarkAllRead(None)));
        let up_to = r#"{"type":"mark_all_read","up_to":"everyone-3"}"#;
        assert_eq!(parsed(up_to), Ok(Command::MarkAllRead(Some(id("everyone-3")))));
    }

    /// S1-06, S1-16: whatever comes is answered with one line.
    #[test]
    fn what_is_wrong_is_named() {
        let long = format!(r#"{{"type":"{}"}}"#, "x".repeat(1_000));
        let shown = format!("Unknown message type: {}", "x".repeat(50));
        for (payload, message) in [
            ("{", "Invalid JSON"),
            ("\u{0}", "Invalid JSON"),
            ("[]", "Invalid message format"),
            ("1", "Invalid message format"),
            ("{}", "Invalid message format"),
            (r#"{"type":1}"#, "Invalid message format"),
            (r#"{"type":"a\"b"}"#, "Unknown message type: a\"b"),
            (long.as_str(), shown.as_str()),
            (r#"{"type":"mark_read"}"#, "mark_read needs the id of a notification"),
            (r#"{"type":"mark_read","id":{}}"#, "id must be the id of a notification"),
            (r#"{"type":"mark_all_read","up_to":true}"#, "up_to must be the id of a notification"),
        ] {
            assert_eq!(parsed(payload), Err(message.to_owned()));
        }
        assert!(command(br#"{"type":"mark_read","id":7}"#, "Invalid JSON", false).is_err());
    }

    proptest! {
        /// S1-16: arbitrary bytes never panic, and no answer is long.
        #[test]
        fn reading_holds_against_anything(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            kind in "\\PC{0,300}",
        ) {
            for payload in [bytes, json!({"type": kind, "id": kind}).to_string().into_bytes()] {
                if let Err(message) = command(&payload, "Invalid JSON", true) {
                    prop_assert!(message.chars().count() < 100);
                }
            }
        }
    }
}
