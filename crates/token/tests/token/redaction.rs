//! S1-16: tokens never reach a log.

use std::borrow::Cow;

use carillon_token::redact;
use proptest::prelude::*;
use serde_json::json;

use crate::keys::{RSA, django_claims, hs256, provider_claims};

#[test]
fn tokens_disappear_wherever_they_are() {
    for token in [hs256(&django_claims()), RSA.token(&provider_claims())] {
        let encoded = token.replace('.', "%2E");
        let (message, signature) = token.rsplit_once('.').expect("a token");
        for (text, expected) in [
            (token.clone(), "[redacted]".to_owned()),
            (
                format!("/ws/notifications/?token={token}&since=a.1"),
                "/ws/notifications/?token=[redacted]&since=a.1".into(),
            ),
            (format!("/x?a=1&access_token={encoded}#f"), "/x?a=1&access_token=[redacted]#f".into()),
            (format!("Bearer {token}\r\nHost: x"), "Bearer [redacted]\r\nHost: x".into()),
            (format!("protocols [carillon, {token}] é"), "protocols [carillon, [redacted]] é".into()),
            (
                format!("{{\"access\":\"{token}\",\"refresh\":\"{token}\"}}"),
                "{\"access\":\"[redacted]\",\"refresh\":\"[redacted]\"}".into(),
            ),
            (format!("é?TOKEN=é{token}é&x"), "é?TOKEN=[redacted]&x".into()),
            (format!("cut {message}"), "cut [redacted]".into()),
            (format!("jwt_{token}"), "jwt_[redacted]".into()),
        ] {
            let clean = redact(&text);
            assert_eq!(clean, expected);
            assert!(!clean.contains(signature));
        }
    }
    assert_eq!(redact("?token=opaque&x=1"), "?token=[redacted]&x=1");
    assert_eq!(redact("/blobs/ab?size=1&signature=abc-_"), "/blobs/ab?size=1&signature=[redacted]");
}

#[test]
fn other_text_stays_as_it_is() {
    for text in [
        "",
        "GET /ws/events/acme/?since=abc.1.2 101",
        "api.example.org eyes ewer e",
        "example-domain-name-0123456789.example.org",
        "?token=&x=1",
        "the token expired; token: none",
    ] {
        assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}");
    }
}

proptest! {
    /// Arbitrary text never panics, and cleaning it again finds nothing more.
    #[test]
    fn redaction_holds_against_anything(text in "(token=|eyJ|%2E|[a-zé.&= ]){0,30}|\\PC*") {
        let clean = redact(&text).into_owned();
        prop_assert_eq!(redact(&clean).replace("[redacted]", ""), clean.replace("[redacted]", ""));
    }

    /// No signature is left of a token in the middle of anything.
    #[test]
    fn no_token_is_left(before in "\\PC*", after in "\\PC*") {
        let token = hs256(&json!({"exp": 1}));
        let (_, signature) = token.rsplit_once('.').expect("a token");
        let text = format!("{before}{token}{after}");
        prop_assert!(!redact(&text).contains(signature));
    }
}
