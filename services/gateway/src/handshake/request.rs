//! What has to be right about an upgrade request before anybody asks who sends it (RFC 6455, section 4.2.1).

use actix_http::{
    RequestHead, Version,
    ws::{HandshakeError, verify_handshake},
};
use actix_web::http::header;

use super::Refusal;
use crate::websocket::{self, Window};

/// Checks that it is a WebSocket handshake, and finds what it and a gateway that compresses would agree on.
///
/// # Errors
/// It is not one, or of another version.
pub(super) fn check(head: &RequestHead) -> Result<Option<Window>, Refusal> {
    verify_handshake(head).map_err(|error| match error {
        HandshakeError::UnsupportedVersion => Refusal::Version,
        error => Refusal::Handshake(error.to_string()),
    })?;
    if head.version < Version::HTTP_11 {
        return Err(Refusal::Handshake("HTTP/1.1 is required".to_owned()));
    }
    let mut keys = head.headers().get_all(header::SEC_WEBSOCKET_KEY);
    let is_key = keys.next().is_some_and(|key| is_key(key.as_bytes()));
    if !is_key || keys.next().is_some() {
        return Err(Refusal::Handshake("not one WebSocket key".to_owned()));
    }
    let values = head.headers().get_all(header::SEC_WEBSOCKET_EXTENSIONS).map(|value| value.as_bytes());
    websocket::negotiate(values).map_err(|malformed| Refusal::Handshake(malformed.to_string()))
}

/// Whether these are 16 bytes in base64.
fn is_key(text: &[u8]) -> bool {
    let is_of_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len() == 24 && text.strip_suffix(b"==").is_some_and(|digits| digits.iter().all(is_of_base64))
}

#[cfg(test)]
mod tests {
    use actix_http::test::TestRequest;

    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    fn checked(version: Version, headers: &[(&'static str, &str)]) -> Result<Option<Window>, Refusal> {
        let mut request = TestRequest::with_uri("/ws/notifications/");
        request.version(version);
        for header in [("upgrade", "WebSocket"), ("connection", "keep-alive, Upgrade")].iter().chain(headers)
        {
            request.append_header(*header);
        }
        let mut request = request.finish();
        // As the dispatcher has it.
        request.head_mut().set_connection_type(actix_http::ConnectionType::Upgrade);
        check(request.head())
    }

    #[test]
    fn a_handshake_is_one_of_the_right_version_with_one_key() {
        let version = ("sec-websocket-version", "13");
        let with_key = |key| checked(Version::HTTP_11, &[version, ("sec-websocket-key", key)]).is_ok();
        assert!(with_key(KEY));
        for key in
            ["", "c2hvcnQ=", "!GhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSEh", "dGhlIHNhbXBsZSBub25jZQ"]
        {
            assert!(!with_key(key), "{key}");
        }
        let key = ("sec-websocket-key", KEY);
        assert!(checked(Version::HTTP_11, &[version, key, key]).is_err(), "twice");
        assert!(checked(Version::HTTP_11, &[version]).is_err());
        assert!(checked(Version::HTTP_10, &[version, key]).is_err());
        for other in ["", "8", "12", "14", "13, 8"] {
            let outcome = checked(Version::HTTP_11, &[("sec-websocket-version", other), key]);
            assert_eq!(outcome, Err(Refusal::Version), "{other}");
        }
        assert!(matches!(checked(Version::HTTP_11, &[key]), Err(Refusal::Handshake(_))));
        let extension = ("sec-websocket-extensions", "permessage-deflate");
        assert_eq!(checked(Version::HTTP_11, &[version, key, extension]), Ok(Some(Window::FULL)));
    }
}
