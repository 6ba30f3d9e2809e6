//! Takes tokens out of text that is about to be logged (S1-16).

use std::borrow::Cow;

use base64::{
    Engine,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// What stands where a token was.
const REDACTED: &str = "[redacted]";

/// A shorter run of base64url holds no more than the beginning of a header.
const MIN_LENGTH: usize = 16;

/// How the names of secret parameters end. The signature of a file's address is the permission to have it.
const PARAMETERS: [&str; 2] = ["token=", "signature="];

/// Decodes a piece that was cut out of base64url at any multiple of four characters.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The text without tokens: whatever looks like a JWT, and the value of every parameter whose name ends
/// in `token` or `signature`, becomes `[redacted]`. Text without any is returned as it is.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut clean = String::new();
    let mut copied = 0;
    let mut at = 0;
    while at < text.len() {
        match secret_at(text, at).filter(|secret| !secret.is_empty()) {
            Some(secret) => {
                clean.push_str(&text[copied..secret.start]);
                clean.push_str(REDACTED);
                copied = secret.end;
                at = secret.end;
            }
            None => at += 1,
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    clean.push_str(&text[copied..]);
    Cow::Owned(clean)
}

/// The secret that begins at this byte, or whose parameter's name does.
fn secret_at(text: &str, at: usize) -> Option<std::ops::Range<usize>> {
    let rest = &text.as_bytes()[at..];
    let is_here =
        |name: &&str| rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
    if let Some(name) = PARAMETERS.iter().find(|name| is_here(name)) {
        let start = at + name.len();
        return Some(start..start + rest[name.len()..].iter().take_while(|byte| is_value(**byte)).count());
    }
    begins_like_a_header(rest).then(|| at..at + token_length(rest))
}

/// Bytes above ASCII are a part of the value, so that it ends where a character does.
fn is_value(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !byte.is_ascii_control() && !b"&#\"'<>,;|".contains(&byte)
}

/// How far base64url goes, with the dots of a token, also percent-encoded ones.
fn token_length(rest: &[u8]) -> usize {
    let mut length = 0;
    loop {
        match &rest[length..] {
            [byte, ..] if byte.is_ascii_alphanumeric() || b"-_.=".contains(byte) => length += 1,
            [b'%', b'2', b'e' | b'E', ..] => length += 3,
            _ => return length,
        }
    }
}

/// Whether the JSON object that this base64url encodes begins with a name: `{"`.
fn begins_like_a_header(rest: &[u8]) -> bool {
    let Some(start) = rest.get(..MIN_LENGTH).filter(|start| start[0] == b'e') else { return false };
    let Ok(start) = LENIENT.decode(start) else { return false };
    let Some(inside) = start.strip_prefix(b"{") else { return false };
    matches!(inside.trim_ascii_start(), [] | [b'"', ..])
}
