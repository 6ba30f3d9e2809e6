//! The algorithms that keys may be used with.

use jsonwebtoken::Algorithm;

/// With a shared secret.
pub(crate) const HMAC: &[Algorithm] = &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
/// With an RSA key that doesn't say.
pub(crate) const RSA: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256];
/// With a key on P-256.
pub(crate) const P256: &[Algorithm] = &[Algorithm::ES256];
/// With a key on P-384.
pub(crate) const P384: &[Algorithm] = &[Algorithm::ES384];
/// With an Ed25519 key.
pub(crate) const ED25519: &[Algorithm] = &[Algorithm::EdDSA];

/// The algorithm of that name, if it is accepted with any key.
pub(crate) fn named(name: &str) -> Option<Algorithm> {
    let algorithm = name.parse().ok()?;
    [HMAC, RSA, P256, P384, ED25519].iter().any(|accepted| accepted.contains(&algorithm)).then_some(algorithm)
}
