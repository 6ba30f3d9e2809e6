//! A token taken apart, before anything in it is believed.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use crate::{VerifyError, algorithm};

/// The longest token, in bytes, checked before any decoding.
const MAX_LENGTH: usize = 8 * 1024;

/// What the header's `typ` may be (RFC 7519, RFC 9068). Others, such as `logout+jwt`, are for something else.
const TYPES: [&str; 4] = ["JWT", "at+jwt", "application/at+jwt", "application/jwt"];

/// A token in its parts. Nothing is verified yet.
pub(crate) struct Parts<'a> {
    /// What the header says it was signed with. The key decides whether that is so.
    pub(crate) algorithm: Algorithm,
    /// The name of the key.
    pub(crate) key_id: Option<String>,
    /// The claims, not to be believed before [`Parts::is_signed_by`] says so.
    pub(crate) claims: Map<String, Value>,
    message: &'a [u8],
    signature: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<IgnoredAny>,
    b64: Option<Value>,
    enc: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
}

impl<'a> Parts<'a> {
    /// Takes a token apart.
    pub(crate) fn parse(token: &'a str) -> Result<Self, VerifyError> {
        check_text(token)?;
        let mut words = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(VerifyError::Invalid("not three parts"));
        };
        let header: Header = decode(header).ok_or(VerifyError::Invalid("malformed header"))?;
        Ok(Self {
            algorithm: check_header(&header)?,
            key_id: header.kid,
            claims: decode(payload).ok_or(VerifyError::Invalid("malformed claims"))?,
            message: &token.as_bytes()[..token.len() - signature.len() - 1],
            signature,
        })
    }

    /// The claim `iss`, if it is text.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Whether it was signed with a shared secret, as the header has it.
    pub(crate) fn is_hmac(&self) -> bool {
        algorithm::HMAC.contains(&self.algorithm)
    }

    /// Whether this key made the signature. The caller has checked that the key is for this algorithm.
    pub(crate) fn is_signed_by(&self, key: &DecodingKey) -> bool {
        crypto::verify(self.signature, self.message, key, self.algorithm).unwrap_or(false)
    }
}

fn check_text(token: &str) -> Result<(), VerifyError> {
    if token.is_empty() {
        return Err(VerifyError::Invalid("empty"));
    }
    if token.len() > MAX_LENGTH {
        return Err(VerifyError::Invalid("longer than 8 KiB"));
    }
    if !token.is_ascii() {
        return Err(VerifyError::Invalid("not ASCII"));
    }
    Ok(())
}

/// The accepted algorithm that the header names. Extensions are refused: none is understood here, and
/// a signer that sets one expects it to be honoured (RFC 7515, 4.1.11; RFC 7797).
fn check_header(header: &Header) -> Result<Algorithm, VerifyError> {
    if header.crit.is_some() {
        return Err(VerifyError::Invalid("unknown critical header"));
    }
    if !matches!(header.b64, None | Some(Value::Bool(true))) {
        return Err(VerifyError::Invalid("unencoded payload"));
    }
    if header.enc.is_some() || header.zip.is_some() {
        return Err(VerifyError::Invalid("encrypted"));
    }
    if header.typ.as_ref().is_some_and(|typ| !TYPES.iter().any(|known| known.eq_ignore_ascii_case(typ))) {
        return Err(VerifyError::Invalid("unknown header type"));
    }
    algorithm::named(&header.alg).ok_or(VerifyError::Invalid("algorithm not accepted"))
}

/// A JSON object from its base64url. An array would do for serde where an object is due.
fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    let json = URL_SAFE_NO_PAD.decode(part).ok()?;
    json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(&json).ok()).flatten()
}
