//! `GET /.well-known/jwks.json` and `POST /api/auth/keys/rotate/`.

use bytes::Bytes;
use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use serde_json::json;

use super::begin;
use crate::auth::Auth;

/// For how long a cache may answer: whoever meets an unknown key asks again anyway.
const CACHED: &str = "public, max-age=60";

pub(super) async fn jwks(auth: &Auth) -> Result<HttpReply, Problem> {
    let keys = auth.keys.current().await?;
    Ok(HttpReply {
        status: 200,
        content_type: "application/jwk-set+json".to_owned(),
        headers: [("cache-control".to_owned(), CACHED.to_owned())].into(),
        body: Bytes::copy_from_slice(keys.jwks.as_bytes()),
    })
}

pub(super) async fn rotate(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let mut change = begin!(auth, request);
    let key = auth.keys.rotate(&mut change.tx, &auth.lifetimes, &mut change.effects).await?;
    let answer = http::json(201, &json!({ "kid": key.id() }));
    change.commit(auth, &answer).await?;
    tracing::info!(kid = key.id(), "the signing key was rotated");
    Ok(answer)
}
