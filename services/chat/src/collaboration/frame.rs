//! What a participant sends, and what the others get of it.

use bytes::Bytes;
use carillon_contract::{Id, Person};
use serde_json::{Map, Value};

use crate::reply::Refusal;

/// Members that say who sent a frame, and where it is in its channel.
const RESERVED_MEMBERS: [&str; 4] = ["sender", "channel", "offset", "epoch"];

/// Types of the frames by which the server itself speaks at this endpoint: nobody else's may be
/// taken for them.
const RESERVED_TYPES: [&str; 11] = [
    "participants",
    "participant_joined",
    "participant_left",
    "error",
    "ping",
    "pong",
    "connected",
    "recovery",
    "reconnect",
    "refreshed",
    "token_expiring",
];

/// A JSON object that may be passed on, as its text.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    text: &'a [u8],
    is_empty: bool,
}

impl<'a> Frame<'a> {
    /// Reads what a client sends: any object of at most so many bytes, but for what only the server says.
    /// A refusal comes with the client's own id, if there is one.
    pub(super) fn read(payload: &'a [u8], max_bytes: usize) -> Result<Self, (Refusal, Option<Id>)> {
        if payload.len() > max_bytes {
            return Err((Refusal::new("too_large", format!("A frame has at most {max_bytes} bytes")), None));
        }
        // Read in full, for nobody is to get what its own program can't read: text that is no Unicode,
        // nesting without end.
        let value: Value = serde_json::from_slice(payload)
            .map_err(|_| (Refusal::new("invalid_json", "Invalid JSON format"), None))?;
        let Value::Object(members) = value else { return Err((crate::reply::wrong_format(), None)) };
        match refusal(&members) {
            Some(refusal) => Err((refusal, client_id(&members))),
            None => Ok(Self { text: payload.trim_ascii(), is_empty: members.is_empty() }),
        }
    }

    /// As it was written, with `sender` added before the closing brace.
    pub(super) fn relayed(&self, sender: &Person) -> Bytes {
        let open = self.text.strip_suffix(b"}").unwrap_or_default();
        let comma = if self.is_empty { "" } else { "," };
        let sender = format!("{comma}\"sender\":{}}}", serde_json::json!(sender));
        [open, sender.as_bytes()].concat().into()
    }
}

fn refusal(members: &Map<String, Value>) -> Option<Refusal> {
    if let Some(name) = RESERVED_MEMBERS.into_iter().find(|name| members.contains_key(*name)) {
        return Some(Refusal::new("reserved_member", format!("`{name}` is added by the server")));
    }
    let kind = members.get("type").and_then(Value::as_str)?;
    let is_reserved = RESERVED_TYPES.contains(&kind);
    is_reserved.then(|| Refusal::new("reserved_type", format!("Only the server says `{kind}`")))
}

fn client_id(members: &Map<String, Value>) -> Option<Id> {
    members.get("client_id").and_then(|id| serde_json::from_value(id.clone()).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sender() -> Person {
        let name = |name: &str| name.to_owned();
        Person { id: Id::from(7), first_name: name("A"), last_name: name("\"B"), username: name("ab") }
    }

    fn relayed(text: &str) -> String {
        let frame = Frame::read(text.as_bytes(), 1_000).expect("a frame").relayed(&sender());
        String::from_utf8(frame.to_vec()).expect("text")
    }

    /// S0-03: to the letter, but for the sender at the end.
    #[test]
    fn a_frame_keeps_its_text() {
        let sender = r#""sender":{"first_name":"A","id":7,"last_name":"\"B","username":"ab"}}"#;
        for text in [
            r#"{"n":1.50,"big":123456789012345678901234567890,"e":1E+2,"s":"\u00e9é\/","a":{"sender":1}"#,
            "{ \"a\" :\t[1 ,2 ]\n ",
            r#"{"a":1,"a":2"#,
            r#"{"type":"cursor""#,
        ] {
            assert_eq!(relayed(&format!(" {text}}}\r\n")), format!("{text},{sender}"));
        }
        assert_eq!(relayed("{}"), format!("{{{sender}"));
        assert_eq!(relayed("{ }"), format!("{{ {sender}"));
    }

    fn refusal(text: &str) -> (&'static str, String) {
        let (refusal, _) = Frame::read(text.as_bytes(), 100).expect_err("a refusal");
        (refusal.code, refusal.message)
    }

    #[test]
    fn what_is_wrong_is_named() {
        for text in ["", "{", "{}x", "{\"a\":\"\\ud800\"}", "{'a':1}"] {
            assert_eq!(refusal(text).1, "Invalid JSON format", "{text}");
        }
        for text in ["[]", "1", "\"x\"", "null"] {
            assert_eq!(refusal(text).1, "Invalid message format", "{text}");
        }
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(100));
        assert_eq!(refusal(&large).1, "A frame has at most 100 bytes");
        for name in RESERVED_MEMBERS {
            assert_eq!(refusal(&format!("{{\"{name}\":null}}")).0, "reserved_member");
        }
        assert_eq!(refusal(r#"{"sen\u0064er":1}"#).1, "`sender` is added by the server");
        assert_eq!(refusal(r#"{"type":"participant_left"}"#).1, "Only the server says `participant_left`");
        let (_, id) = Frame::read(br#"{"offset":1,"client_id":"c"}"#, 100).expect_err("a refusal");
        assert_eq!(id.expect("an id").as_str(), "c");
    }

    proptest! {
        /// Whatever is passed on can be read, and is what was sent.
        #[test]
        fn what_is_passed_on_is_what_was_sent(
            members in prop::collection::btree_map("[a-z{}\"\\\\]{0,5}", "\\PC{0,8}", 0..5),
        ) {
            prop_assume!(RESERVED_MEMBERS.iter().all(|name| !members.contains_key(*name)));
            prop_assume!(!members.contains_key("type"));
            let sent = serde_json::json!(members);
            let mut heard: Value = serde_json::from_str(&relayed(&sent.to_string())).expect("JSON");
            let said = heard.as_object_mut().expect("an object").remove("sender");
            prop_assert_eq!(said, Some(serde_json::json!(sender())));
            prop_assert_eq!(heard, sent);
        }

        /// Arbitrary bytes never panic.
        #[test]
        fn reading_holds_against_anything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Frame::read(&bytes, 100);
        }
    }
}
