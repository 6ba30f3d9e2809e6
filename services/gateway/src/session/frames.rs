//! The frames that the gateway itself understands, whatever the endpoint: ping, refresh, and the
//! errors that are not an owner's.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a text frame asks for.
#[derive(Debug)]
pub(crate) enum Meaning {
    /// To be answered with this.
    Ping(Vec<u8>),
    /// A new token for this connection.
    Refresh(String),
    /// The owner knows.
    Domain,
    /// Not JSON.
    NotJson,
}

#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    token: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Pong<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a RawValue>,
}

/// What the text asks for. The echoed timestamp is the client's own text (S1-05).
pub(crate) fn interpret(text: &[u8]) -> Meaning {
    match serde_json::from_slice::<Probe<'_>>(text) {
        Ok(Probe { kind: Some(kind), timestamp, .. }) if kind == "ping" => {
            Meaning::Ping(json(&Pong { kind: "pong", timestamp }))
        }
        Ok(Probe { kind: Some(kind), token, .. }) if kind == "refresh" => {
            Meaning::Refresh(token.unwrap_or_default().into_owned())
        }
        Ok(_) => Meaning::Domain,
        // Another shape is the owner's to judge; but serde may not have read on to a syntax error.
        Err(_) if serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok() => Meaning::Domain,
        Err(_) => Meaning::NotJson,
    }
}

#[derive(Serialize)]
struct Error<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

/// An error frame as the documents have it (S1-06, S2-03).
pub(crate) fn error(message: &str) -> Vec<u8> {
    json(&Error { kind: "error", code: None, message, retry_after: None })
}

/// An error frame that a client can tell from others by its code.
pub(crate) fn coded_error(code: &'static str, message: &str) -> Vec<u8> {
    json(&Error { kind: "error", code: Some(code), message, retry_after: None })
}

/// Too many messages (S2-10): the next one is heard in so many seconds.
pub(crate) fn rate_limited(retry_after: u64) -> Vec<u8> {
    let (code, message) = (Some("rate_limited"), "Rate limit exceeded");
    json(&Error { kind: "error", code, message, retry_after: Some(retry_after) })
}

#[derive(Serialize)]
struct Expiring {
    #[serde(rename = "type")]
    kind: &'static str,
    expires_in: i64,
}

/// The token expires in so many seconds; a `refresh` frame keeps the connection (S4-08).
pub(crate) fn token_expiring(expires_in: i64) -> Vec<u8> {
    json(&Expiring { kind: "token_expiring", expires_in })
}

/// A `refresh` was accepted; the new token is valid for so many seconds.
pub(crate) fn refreshed(expires_in: i64) -> Vec<u8> {
    json(&Expiring { kind: "refreshed", expires_in })
}

#[derive(Serialize)]
struct Recovery<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    recovered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    missed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
}

/// What was missed since `?since=` follows: so many events; of this channel, where there may be several.
pub(crate) fn recovered(missed: u64, channel: Option<&str>) -> Vec<u8> {
    json(&Recovery { kind: "recovery", recovered: true, missed: Some(missed), channel })
}

/// What was missed can't be had; the client refetches. `None`: on any channel.
pub(crate) fn not_recovered(channel: Option<&str>) -> Vec<u8> {
    json(&Recovery { kind: "recovery", recovered: false, missed: None, channel })
}

#[derive(Serialize)]
struct Dropped {
    #[serde(rename = "type")]
    kind: &'static str,
    count: u32,
}

/// So many ephemeral events were left out here, because the client did not keep up.
pub(crate) fn dropped(count: u32) -> Vec<u8> {
    json(&Dropped { kind: "dropped", count })
}

/// What carries a place to resume from where an owner greets with nothing.
pub(crate) fn place() -> Vec<u8> {
    json(&Kind { kind: "connected" })
}

#[derive(Serialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Reconnect {
    #[serde(rename = "type")]
    kind: &'static str,
    after_ms: u64,
}

/// The gateway is going: come back after so many milliseconds.
pub(crate) fn reconnect(after_ms: u64) -> Vec<u8> {
    json(&Reconnect { kind: "reconnect", after_ms })
}

/// These types consist of text and numbers, which can't fail to be written.
pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(text: &str) -> String {
        match interpret(text.as_bytes()) {
            Meaning::Ping(pong) => String::from_utf8(pong).expect("text"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_ping_is_answered_with_its_own_timestamp() {
        assert_eq!(answer(r#"{"type":"ping","timestamp":1.50}"#), r#"{"type":"pong","timestamp":1.50}"#);
        assert_eq!(answer(r#"{"type":"ping","timestamp":"é\n"}"#), r#"{"type":"pong","timestamp":"é\n"}"#);
        assert_eq!(answer(r#"{"type":"ping"}"#), r#"{"type":"pong"}"#);
    }

    #[test]
    fn what_is_not_json_is_told_from_json_of_another_shape() {
        for text in ["", "{", "{\"type\":5", "[1,]", "{\"type\":\"ping\"} x", "nonsense"] {
            assert!(matches!(interpret(text.as_bytes()), Meaning::NotJson), "{text}");
        }
        for text in ["[]", "5", "null", "{\"type\":5}", "{}", "{\"action\":\"increment\"}"] {
            assert!(matches!(interpret(text.as_bytes()), Meaning::Domain), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_mean_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = interpret(&bytes);
        }
    }
}
