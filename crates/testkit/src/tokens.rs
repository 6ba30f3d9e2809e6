//! Tokens as other systems issue them, made without the code that verifies them.

mod claims;
mod identity_provider;
mod key;

pub use claims::{keycloak_claims, now, simple_jwt_claims};
pub use identity_provider::IdentityProvider;
pub use key::Key;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A token signed with HMAC-SHA256, as Django SimpleJWT does with the project's `SECRET_KEY`.
pub fn hs256(secret: &str, claims: &Value) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    token(&json!({"alg": "HS256", "typ": "JWT"}), claims, |input| hmac::sign(&key, input).as_ref().to_vec())
}

/// A token without a signature, which nobody may accept.
pub fn unsigned(claims: &Value) -> String {
    token(&json!({"alg": "none", "typ": "JWT"}), claims, |_| Vec::new())
}

/// A token of any header, claims and signature.
pub fn token(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let input = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = encode(sign(input.as_bytes()));
    format!("{input}.{signature}")
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
