//! `/api/auth/token/refresh/`, `/api/auth/token/verify/` and `/api/auth/tokens/{token_id}/revoke/`.

use carillon_contract::{
    Id,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use carillon_store::now;
use serde::Deserialize;
use serde_json::json;

use super::begin;
use crate::{
    auth::Auth,
    revocations::{self, SECOND},
    service_tokens, tokens,
};

#[derive(Deserialize)]
struct Refresh {
    refresh: String,
}

#[derive(Deserialize)]
struct Verify {
    token: String,
}

/// As SimpleJWT does by default: another access token, and the refresh token stays the same.
pub(super) async fn refresh(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let Refresh { refresh } = http::body(request)?;
    let access = tokens::refresh(auth, &refresh).await?;
    Ok(http::json(200, &json!({ "access": access })))
}

pub(super) async fn verify(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let Verify { token } = http::body(request)?;
    tokens::verify(auth, &token).await?;
    Ok(http::json(200, &json!({})))
}

/// Voids a token by its `jti`, or a login by its `sid`. Tokens of people are not listed anywhere,
/// so there is none that is unknown.
pub(super) async fn revoke(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let token = Id::new(http::parameter(request, "token_id"))
        .map_err(|error| Problem::unprocessable("token_id", &error.to_string()))?;
    let mut change = begin!(auth, request);
    let expires_at = service_tokens::revoke(&mut change.tx, token.as_str()).await?;
    // It may be another issuer's.
    let forget_at = auth.lifetimes.user_forget_at(now()).max(expires_at.unwrap_or_default() + SECOND);
    let revoked =
        revocations::revoke_token(&mut change.tx, token.as_str(), forget_at, &auth.lifetimes).await?;
    change.effects.token_revoked(revoked);
    let answer = http::no_content();
    change.commit(auth, &answer).await?;
    auth.metrics.revoked("token", 1);
    Ok(answer)
}
