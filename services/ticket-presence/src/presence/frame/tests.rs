//! What can be read, and what can't.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn said(frame: &Value) -> Result<Said, &'static str> {
    read(frame.to_string().as_bytes()).0.map_err(|refusal| refusal.code)
}

fn id(text: &str) -> Id {
    Id::new(text).expect("an id")
}

#[test]
fn a_ticket_is_a_number_or_a_text() {
    for (ticket, text) in [(json!(7), "7"), (json!("7"), "7"), (json!("PROJ-7/ä"), "PROJ-7/ä")] {
        let frame = json!({"type": "viewing", "ticket_id": ticket});
        assert_eq!(said(&frame), Ok(Said::Viewing { ticket_id: Some(id(text)) }));
        let frame = json!({"type": "typing", "ticket_id": ticket, "is_typing": false});
        assert_eq!(said(&frame), Ok(Said::Typing { ticket_id: id(text), is_typing: false }));
    }
    assert_eq!(said(&json!({"type": "viewing", "ticket_id": null})), Ok(Said::Viewing { ticket_id: None }));
    assert!(said(&json!({"type": "viewing", "ticket_id": "é".repeat(127)})).is_ok());
}

#[test]
fn what_is_wrong_is_refused() {
    for ticket in [json!(7.5), json!(""), json!("a\u{0}b"), json!("é".repeat(128)), json!([7]), json!(true)]
    {
        assert_eq!(said(&json!({"type": "viewing", "ticket_id": ticket})), Err("invalid"), "{ticket}");
        let frame = json!({"type": "typing", "ticket_id": ticket, "is_typing": true});
        assert_eq!(said(&frame), Err("invalid"), "{ticket}");
    }
    for frame in [
        json!({"type": "viewing"}),
        json!({"type": "typing", "ticket_id": null, "is_typing": true}),
        json!({"type": "typing", "ticket_id": 7}),
        json!({"type": "typing", "ticket_id": 7, "is_typing": "yes"}),
        json!({"type": "Viewing", "ticket_id": 7}),
        json!({"ticket_id": 7}),
        json!({}),
        json!([]),
        json!(["viewing", 7]),
        json!(null),
    ] {
        assert_eq!(said(&frame), Err("invalid"), "{frame}");
    }
    for payload in ["", "{", "\u{0}", r#"{"type":"viewing","ticket_id":1}x"#] {
        assert_eq!(read(payload.as_bytes()).0.expect_err("a refusal").code, "invalid_json");
    }
}

#[test]
fn a_refusal_names_the_client_s_own_id() {
    assert_eq!(read(br#"{"type":"viewing","client_id":"a"}"#).1, Some(id("a")));
    assert_eq!(read(br#"{"type":"viewing","client_id":[]}"#).1, None);
}

/// JSON of any shape, with the words of this protocol in it.
fn frames() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just("viewing".to_owned()), Just("typing".to_owned()), ".{0,300}"].prop_map(Value::from),
    ];
    let name = prop_oneof![Just("type"), Just("ticket_id"), Just("is_typing"), Just("client_id")];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Arbitrary bytes never panic.
    #[test]
    fn reading_holds_against_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    /// What is accepted is what it says, and about a ticket that can be stored.
    #[test]
    fn reading_holds_against_any_json(frame in frames()) {
        if let Ok(said) = said(&frame) {
            let written = &frame["ticket_id"];
            let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
            prop_assert_eq!(said.ticket().map_or("null", Id::as_str), text);
            if let Some(ticket) = said.ticket() {
                prop_assert!((1..=255).contains(&ticket.as_str().len()) && !ticket.as_str().contains('\0'));
            }
        }
    }
}
