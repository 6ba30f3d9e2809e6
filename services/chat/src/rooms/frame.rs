//! What clients say in a chat room.

use carillon_contract::{Id, messages::FrameReply};
use carillon_service::Failure;
use serde::Deserialize;
use serde_json::json;

use crate::{
    messages::{Author, Draft, Messages, cause},
    reply::{Refusal, frames, refused, silence},
    visitor::Visitor,
};

/// The longest message, in characters (S2-01).
pub(super) const MAX_MESSAGE: usize = 1_000;

/// The longest name that a client without a token gives itself, in characters.
const MAX_USERNAME: usize = 100;

/// What such a client is called that gives itself none (S2-01).
const ANONYMOUS: &str = "Anonymous";

/// Document 2's chat message.
#[derive(Debug, Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    username: Option<String>,
    client_id: Option<Id>,
}

/// Handles one frame: what it says is stored and published before its sender is told.
pub(super) async fn handle(
    messages: &Messages,
    visitor: &Visitor,
    number: u64,
    payload: &[u8],
) -> Result<FrameReply, Failure> {
    let frame = match read(payload) {
        Ok(frame) => frame,
        Err((refusal, client_id)) => return Ok(refused(&refusal, client_id.as_ref())),
    };
    let client_id = frame.client_id.clone();
    match messages.send(draft(visitor, number, frame)?).await? {
        Err(refusal) => Ok(refused(&refusal, client_id.as_ref())),
        Ok(sent) => Ok(client_id.map_or_else(silence, |client_id| {
            let (id, offset) = (sent.id, sent.offset);
            frames([
                &json!({"type": "message_ack", "client_id": client_id, "message_id": id, "offset": offset}),
            ])
        })),
    }
}

/// S2-03: the document's words for what is wrong.
fn read(payload: &[u8]) -> Result<Frame, (Refusal, Option<Id>)> {
    let value: serde_json::Value = serde_json::from_slice(payload)
        .map_err(|_| (Refusal::new("invalid_json", "Invalid JSON format"), None))?;
    let client_id = value.get("client_id").and_then(|id| serde_json::from_value::<Id>(id.clone()).ok());
    let refuse = |refusal| (refusal, client_id.clone());
    let frame: Frame = serde_json::from_value(value).map_err(|_| refuse(crate::reply::wrong_format()))?;
    if frame.kind != "chat_message" {
        return Err(refuse(crate::reply::wrong_format()));
    }
    check_message(&frame.message).map_err(refuse)?;
    if frame.username.as_ref().is_some_and(|name| name.chars().count() > MAX_USERNAME) {
        return Err(refuse(Refusal::new("invalid", "Invalid username (max 100 characters)")));
    }
    Ok(frame)
}

/// A message has 1 to 1000 characters.
pub(super) fn check_message(message: &str) -> Result<(), Refusal> {
    match message.chars().count() {
        1..=MAX_MESSAGE if !message.contains('\0') => Ok(()),
        _ => Err(Refusal::new("invalid_message", "Invalid message (max 1000 characters)")),
    }
}

/// A signed-in user's name comes from the token; the frame's counts only for a client without one.
fn draft(visitor: &Visitor, number: u64, frame: Frame) -> Result<Draft, Failure> {
    let author = visitor.person().map_or_else(
        || {
            let name = frame.username.filter(|name| !name.trim().is_empty());
            Author::Anonymous(name.unwrap_or_else(|| ANONYMOUS.to_owned()).replace('\0', ""))
        },
        Author::User,
    );
    let client_id = frame.client_id.map(Id::into_string);
    Ok(Draft {
        channel: visitor.channel()?,
        conversation: None,
        cause: cause(&visitor.member(), client_id.as_deref(), &visitor.connection, number),
        author,
        message_type: "text".to_owned(),
        body: frame.message,
        reply_to: None,
        attachments: Vec::new(),
        client_id,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(payload: &str) -> String {
        read(payload.as_bytes()).expect_err("a refusal").0.message
    }

    /// S2-03
    #[test]
    fn what_is_wrong_is_named_as_in_the_document() {
        for payload in ["{", "", "\u{0}"] {
            assert_eq!(refusal(payload), "Invalid JSON format");
        }
        for payload in [
            "[]",
            "{}",
            r#"{"type":"chat_message"}"#,
            r#"{"type":"chat_message","message":7}"#,
            r#"{"type":"other","message":"x"}"#,
            r#"{"type":"chat_message","message":"x","username":7}"#,
        ] {
            assert_eq!(refusal(payload), "Invalid message format", "{payload}");
        }
        for message in [String::new(), "x".repeat(1_001), "é".repeat(1_001)] {
            let payload = json!({"type": "chat_message", "message": message}).to_string();
            assert_eq!(refusal(&payload), "Invalid message (max 1000 characters)");
        }
        for message in ["x".repeat(1_000), "é".repeat(1_000), "x".to_owned()] {
            let payload = json!({"type": "chat_message", "message": message}).to_string();
            assert!(read(payload.as_bytes()).is_ok());
        }
    }

    #[test]
    fn a_refusal_names_the_client_s_own_id() {
        let (_, id) = read(br#"{"type":"chat_message","client_id":"a"}"#).expect_err("a refusal");
        assert_eq!(id.expect("an id").as_str(), "a");
    }

    proptest! {
        /// Arbitrary bytes never panic.
        #[test]
        fn reading_holds_against_anything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
