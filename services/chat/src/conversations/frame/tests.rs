//! What can be read, and what can't.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn refusal(frame: &Value) -> String {
    read(frame.to_string().as_bytes()).0.expect_err("a refusal").message
}

fn said(frame: &Value) -> Said {
    read(frame.to_string().as_bytes()).0.unwrap_or_else(|refusal| panic!("{frame}: {refusal:?}"))
}

/// S4-03: what document 4's client sends, and the least.
#[test]
fn a_message_is_text_of_a_type() {
    let message = |message_type: &str| {
        let (body, reply_to) = ("Hello there!".to_owned(), None);
        Said::Message(Text { body, message_type: message_type.to_owned(), reply_to, attachments: Vec::new() })
    };
    let frame = json!({"type": "chat_message", "message": "Hello there!", "message_type": "image"});
    assert_eq!(said(&frame), message("image"));
    let frame = json!({"type": "chat_message", "message": "Hello there!", "reply_to": null});
    assert_eq!(said(&frame), message("text"));
}

#[test]
fn ids_are_numbers_or_their_digits() {
    for id in [json!(7), json!("7")] {
        assert_eq!(said(&json!({"type": "message_read", "message_id": id})), Said::Change(Action::Read(7)));
    }
    for id in [json!("007"), json!(-7), json!(0), json!("seven"), json!(u64::MAX)] {
        let frame = json!({"type": "message_read", "message_id": id});
        assert_eq!(refusal(&frame), "There is no such message in this conversation", "{id}");
    }
    for id in [json!(7.5), json!(7e30), json!(""), json!("a\u{0}b"), json!("7".repeat(256)), json!(null)] {
        let frame = json!({"type": "message_read", "message_id": id});
        assert_eq!(refusal(&frame), "Invalid message format", "{id}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    let text = |message: String| json!({"type": "chat_message", "message": message});
    for message in [String::new(), "x".repeat(10_001), "é".repeat(10_001)] {
        assert_eq!(refusal(&text(message)), "Invalid message (max 10000 characters)");
    }
    assert_eq!(refusal(&text("a\0b".to_owned())), "Invalid message (NUL characters can't be stored)");
    said(&text("é".repeat(10_000)));
    said(&json!({"type": "chat_message", "message": "", "attachments": ["a"]}));
    for (frame, message) in [
        (json!([1]), "Invalid message format"),
        (json!({"type": "unknown"}), "Invalid message format"),
        (json!({"type": "chat_message"}), "Invalid message format"),
        (json!({"type": "chat_message", "message": 7}), "Invalid message format"),
        (json!({"type": "typing_indicator", "is_typing": "yes"}), "Invalid message format"),
        (
            json!({"type": "chat_message", "message": "x", "message_type": "two words"}),
            "Invalid message_type (1 to 32 letters, digits, _ and -)",
        ),
        (
            json!({"type": "chat_message", "message": "x", "attachments": vec!["a"; 101]}),
            "A message has at most 100 attachments",
        ),
        (
            json!({"type": "message_reaction", "message_id": 1, "emoji": "+1", "action": "add"}),
            "That is not an emoji",
        ),
    ] {
        assert_eq!(refusal(&frame), message, "{frame}");
    }
    assert_eq!(read(b"{").0.expect_err("a refusal").message, "Invalid JSON format");
}

/// One emoji is one, with or without the character that has it shown in colour.
#[test]
fn an_emoji_has_one_form() {
    let react = |emoji: &str| {
        said(&json!({"type": "message_reaction", "message_id": 1, "emoji": emoji, "action": "add"}))
    };
    assert_eq!(react("❤"), react("❤\u{fe0f}"));
    assert_ne!(react("👍"), react("👍🏽"));
}

#[test]
fn a_refusal_names_the_client_s_own_id() {
    let (_, id) = read(br#"{"type":"message_read","client_id":"a"}"#);
    assert_eq!(id.expect("an id").as_str(), "a");
}

proptest! {
    /// Arbitrary bytes never panic.
    #[test]
    fn reading_holds_against_anything(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }
}
