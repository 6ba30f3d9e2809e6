//! `/api/auth/service-tokens/`: what back ends publish with.

use carillon_contract::messages::{HttpReply, HttpRequest};
use carillon_service::{
    http::{self, Problem},
    time::timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{begin, page::Page};
use crate::{
    answers::{self, Begun},
    auth::Auth,
    keys::KeyError,
    new_user, revocations,
    revocations::SECOND,
    service_tokens::{self, SCOPES, ServiceToken},
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

/// What is read of an earlier answer.
#[derive(Deserialize)]
struct Created {
    id: String,
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
    let items: Vec<Shown> = tokens.into_iter().map(shown).collect();
    Ok(http::json(200, &json!({ "items": items, "next": next })))
}

pub(super) async fn create(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let token = requested(request)?;
    let mut change = match answers::begin(auth, request).await? {
        Begun::Change(change) => change,
        Begun::Answered(answer) => return again(auth, answer).await,
    };
    // The key is not retired meanwhile, so its retirement knows how long this token lasts.
    let key = auth.keys.lock(&mut change.tx).await?;
    service_tokens::create(&mut change.tx, &token, key.id()).await?;
    let text = token.text(&key).map_err(KeyError::from)?;
    let mut shown = shown(token);
    // The token's text is kept nowhere.
    change.commit(auth, &http::json(201, &shown)).await?;
    auth.metrics.issued("service");
    shown.token = Some(text);
    Ok(http::json(201, &shown))
}

/// The answer to a repeated request: the same token, signed again.
async fn again(auth: &Auth, answer: HttpReply) -> Result<HttpReply, Problem> {
    let Created { id } = serde_json::from_slice(&answer.body).map_err(|_| Problem::internal())?;
    let mut tx = auth.database.begin().await?;
    let key = auth.keys.lock(&mut tx).await?;
    let token = service_tokens::find(&mut tx, &id, key.id()).await?;
    let token = token.ok_or_else(|| Problem::conflict("what this request made has changed since"))?;
    let text = token.text(&key).map_err(KeyError::from)?;
    Ok(http::json(201, &Shown { token: Some(text), ..shown(token) }))
}

pub(super) async fn revoke(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let id = http::parameter(request, "token_id");
    let mut change = begin!(auth, request);
    let expires_at = service_tokens::revoke(&mut change.tx, id).await?;
    let expires_at = expires_at.ok_or_else(|| Problem::not_found("there is no such service token"))?;
    let forget_at = expires_at.saturating_add(60 * SECOND);
    let revoked = revocations::revoke_token(&mut change.tx, id, forget_at, &auth.lifetimes).await?;
    change.effects.token_revoked(revoked);
    let answer = http::no_content();
    change.commit(auth, &answer).await?;
    auth.metrics.revoked("token", 1);
    Ok(answer)
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

fn shown(token: ServiceToken) -> Shown {
    Shown {
        id: token.id,
        name: token.name,
        scopes: token.scopes,
        created_by: token.created_by,
        created_at: timestamp(token.created_at),
        expires_at: timestamp(token.expires_at),
        revoked_at: token.revoked_at.map(timestamp),
        token: None,
    }
}
