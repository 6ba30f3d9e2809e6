//! `POST /api/auth/logout/`: ends a login, with all its tokens.

use carillon_contract::messages::{HttpReply, HttpRequest, Identity};
use carillon_service::http::{self, Problem};
use carillon_store::now;
use carillon_token::CARILLON;
use serde::Deserialize;

use crate::{auth::Auth, effects::Effects, revocations, tokens};

#[derive(Deserialize)]
struct Logout {
    refresh: Option<String>,
}

/// The login of the refresh token in the body, or else that of the request's own token.
pub(super) async fn log_out(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let refresh = if request.body.is_empty() { None } else { http::body::<Logout>(request)?.refresh };
    let identity = match (refresh, &request.identity) {
        (Some(refresh), _) => tokens::verify_refresh(auth, &refresh).await?,
        (None, Some(identity)) => identity.clone(),
        (None, None) => return Err(Problem::unprocessable("refresh", "the login's refresh token is needed")),
    };
    end(auth, &identity).await?;
    Ok(http::no_content())
}

async fn end(auth: &Auth, identity: &Identity) -> Result<(), Problem> {
    if identity.service {
        return Err(Problem::forbidden("a service token is revoked by an admin"));
    }
    let login = if identity.session.is_empty() { &identity.token } else { &identity.session };
    if login.is_empty() {
        return Err(Problem::unprocessable("refresh", "this token belongs to no login that could be ended"));
    }
    if revocations::is_revoked(auth.database.reader(), login, "").await? {
        return Ok(());
    }
    let ours = identity.issuer == CARILLON;
    let forget_at =
        if ours { auth.lifetimes.login_forget_at(now()) } else { auth.lifetimes.user_forget_at(now()) };
    let mut tx = auth.database.begin().await?;
    let mut effects = Effects::default();
    effects.token_revoked(revocations::revoke_token(&mut tx, login, forget_at, &auth.lifetimes).await?);
    auth.commit(tx, effects).await?;
    auth.metrics.revoked("login", 1);
    Ok(())
}
