//! `/api/auth/service-tokens/`: what back ends publish with.

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::http::{self, Problem};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::page::Page;
use crate::{
    auth::Auth,
    created,
    effects::Effects,
    keys::KeyError,
    new_user, revocations,
    revocations::SECOND,
    service_tokens::{self, SCOPES, ServiceToken},
    timestamp::timestamp,
};

const DEFAULT_LIFETIME: i64 = 365 * 24 * 60 * 60;
const LIFETIMES: std::ops::RangeInclusive<i64> = 60..=10 * DEFAULT_LIFETIME;

#[derive(Deserialize)]
struct Body {
    name: String,
    scopes: Vec<String>,
    /// Seconds.
    expires_in: Option<i64>,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    scopes: Vec<String>,
    created_by: String,
    created_at: String,
    expires_at: String,
    revoked_at: Option<String>,
    /// Shown once, to who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub(super) async fn list(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let page = Page::of(request)?;
    let tokens = service_tokens::page(auth.database.reader(), &page.after, page.rows()).await?;
    let (tokens, next) = page.cut(tokens, |token| token.id.clone());
    let items: Vec<Shown> = tokens.into_iter().map(|token| shown(token, None)).collect();
    Ok(http::json(200, &json!({ "items": items, "next": next })))
}

pub(super) async fn create(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let token = requested(request)?;
    let cause = created::cause(request)?;
    let mut tx = auth.database.begin().await?;
    // The key is not retired meanwhile, so its retirement knows how long this token lasts.
    let key = auth.keys.lock(&mut tx).await?;
    let token = service_tokens::create(&mut tx, token, key.id(), &cause).await?;
    let token = token.or_conflict("this request has made a token that is no longer the same")?;
    auth.commit(tx, Effects::default()).await?;
    auth.metrics.issued("service");
    let text = token.text(&key).map_err(KeyError::from)?;
    Ok(http::json(201, &shown(token, Some(text))))
}

pub(super) async fn revoke(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let id = http::parameter(request, "token_id");
    let mut tx = auth.database.begin().await?;
    let expires_at = service_tokens::revoke(&mut tx, id).await?;
    let expires_at = expires_at.ok_or_else(|| Problem::not_found("there is no such service token"))?;
    let mut effects = Effects::default();
    let forget_at = expires_at.saturating_add(60 * SECOND);
    effects.token_revoked(revocations::revoke_token(&mut tx, id, forget_at, &auth.lifetimes).await?);
    auth.commit(tx, effects).await?;
    auth.metrics.revoked("token", 1);
    Ok(http::no_content())
}

fn requested(request: &HttpRequest) -> Result<ServiceToken, Problem> {
    let Body { name, mut scopes, expires_in } = http::body(request)?;
    if name.trim().is_empty() {
        return Err(Problem::unprocessable("name", "a name is needed"));
    }
    scopes.sort();
    scopes.dedup();
    if scopes.is_empty() || !scopes.iter().all(|scope| SCOPES.contains(&scope.as_str())) {
        return Err(Problem::unprocessable("scopes", &format!("at least one of {}", SCOPES.join(", "))));
    }
    let lifetime = expires_in.unwrap_or(DEFAULT_LIFETIME);
    if !LIFETIMES.contains(&lifetime) {
        return Err(Problem::unprocessable("expires_in", "seconds, from a minute to ten years"));
    }
    let creator = http::user(request)?.user.clone();
    Ok(ServiceToken::new(new_user::text("name", name)?, scopes, creator, lifetime * SECOND))
}

fn shown(token: ServiceToken, text: Option<String>) -> Shown {
    Shown {
        id: token.id,
        name: token.name,
        scopes: token.scopes,
        created_by: token.created_by,
        created_at: timestamp(token.created_at),
        expires_at: timestamp(token.expires_at),
        revoked_at: token.revoked_at.map(timestamp),
        token: text,
    }
}
