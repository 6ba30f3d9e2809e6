//! Who is there: verifies the JWTs of every issuer that a deployment trusts, follows the keys that
//! sign them, and issues Carillon's own (the design's "Identity"; S1-08, S1-11, S1-16).
//!
//! - [`Verifier`] turns a token into an [`Identity`](carillon_contract::messages::Identity). Which
//!   issuer a token belongs to is settled by its `iss` and the type of key that it needs, before any
//!   key is tried; the algorithm is the key's, never the token's.
//! - [`SigningKey`] signs, and [`CarillonClaims`] are what it signs.
//! - [`redact()`] takes tokens out of text that is about to be logged.
//!
//! No token, secret or private key appears in an error, a log line or a `Debug` output. Nothing else
//! in the workspace names `jsonwebtoken`.

mod algorithm;
mod claims;
mod error;
mod fetch;
mod identity;
mod issuer;
mod key_ring;
mod key_set;
mod kind;
mod parts;
mod published;
mod redact;
mod roles;
mod secret;
mod signing;
mod times;
mod verifier;

pub use claims::Claims;
pub use error::{ConfigError, SigningError, VerifyError};
pub use fetch::KeyHook;
pub use issuer::{CARILLON, Issuer, Keys};
pub use kind::Kind;
pub use published::{PublishedKeys, published_keys};
pub use redact::redact;
pub use reqwest::Url;
pub use roles::RoleMapping;
pub use secret::Secret;
pub use signing::{CarillonClaims, SigningKey, jwks, mint_hs256};
pub use verifier::{Options, Verifier};
