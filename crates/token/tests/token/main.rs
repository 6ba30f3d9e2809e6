//! The verifier through its public door: what it refuses, whom it recognises, and how it follows keys.

mod identities;
mod key_server;
mod keys;
mod properties;
mod pushed_keys;
mod redaction;
mod refusals;
mod refused_claims;
mod rotation;
mod signing;
