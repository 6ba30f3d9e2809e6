//! What other systems put into their tokens.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).as_ref().map_or(0, Duration::as_secs)
}

/// The claims of a Django SimpleJWT access token (document 0, 3 and 4), valid for an hour.
pub fn simple_jwt_claims(user: &Value) -> Value {
    json!({
        "token_type": "access",
        "exp": now() + 3600,
        "iat": now(),
        "jti": crate::unique("jti"),
        "user_id": user,
    })
}

/// The claims of a Keycloak access token (document 1, S1-08), valid for five minutes.
pub fn keycloak_claims(issuer: &str, subject: &str) -> Value {
    json!({
        "exp": now() + 300,
        "iat": now(),
        "jti": crate::unique("jti"),
        "iss": issuer,
        "aud": "account",
        "sub": subject,
        "typ": "Bearer",
        "azp": "web",
        "email": format!("{subject}@example.com"),
        "email_verified": true,
        "preferred_username": subject,
        "given_name": "Test",
        "family_name": "User",
        "realm_access": {"roles": ["offline_access", "uma_authorization"]},
        "scope": "openid email profile",
    })
}
