//! Issues access and refresh tokens, and tells whether one still counts.

use carillon_contract::messages::Identity;
use carillon_service::http::Problem;
use carillon_store::now;
use carillon_token::{CarillonClaims, Kind, SigningKey, VerifyError};

use crate::{
    auth::Auth,
    keys::KeyError,
    lifetimes::Lifetimes,
    random::random_id,
    revocations::{self, SECOND},
    user_name::local_id,
    users::{self, Holder, User},
};

/// What a login gives. Has no `Debug`: tokens are not for logs.
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// An access and a refresh token of a new login.
pub(crate) async fn log_in(auth: &Auth, user: i64) -> Result<Option<Pair>, Problem> {
    // Before looking: what is revoked after the look is issued before the revocation.
    let now = now();
    let holder = users::holder(auth.database.reader(), user, &auth.names.full(user)).await?;
    let Some(holder) = holder else { return Ok(None) };
    let keys = auth.keys.current().await?;
    let login = random_id();
    let issued_at = issued_at(now, &holder);
    let issue = |kind| issue(&keys.signing, kind, &holder.user, &login, issued_at, &auth.lifetimes);
    let pair = Pair { access: issue(Kind::Access)?, refresh: issue(Kind::Refresh)? };
    auth.metrics.issued("access");
    auth.metrics.issued("refresh");
    Ok(Some(pair))
}

/// Another access token of a login.
///
/// # Errors
/// 401 if the refresh token, its login or its user counts no longer.
pub(crate) async fn refresh(auth: &Auth, token: &str) -> Result<String, Problem> {
    let now = now();
    let identity = verify_refresh(auth, token).await?;
    let holder = standing(auth, &identity).await?.ok_or_else(void)?;
    let keys = auth.keys.current().await?;
    let issued_at = issued_at(now, &holder);
    let access =
        issue(&keys.signing, Kind::Access, &holder.user, &identity.session, issued_at, &auth.lifetimes)?;
    auth.metrics.issued("access");
    Ok(access)
}

/// Whose refresh token this is, be it revoked or not.
///
/// # Errors
/// 401 if it isn't one, or has expired.
pub(crate) async fn verify_refresh(auth: &Auth, token: &str) -> Result<Identity, Problem> {
    auth.keys.verifier().await?.verify_refresh(token).await.map_err(refused)
}

/// Whether a token of ours, of any kind, counts.
///
/// # Errors
/// 401 if it doesn't.
pub(crate) async fn verify(auth: &Auth, token: &str) -> Result<(), Problem> {
    let (identity, kind) = auth.keys.verifier().await?.verify_any(token).await.map_err(refused)?;
    if kind == Kind::Service {
        let revoked = revocations::is_revoked(auth.database.reader(), &identity.token, "").await?;
        return if revoked { Err(void()) } else { Ok(()) };
    }
    standing(auth, &identity).await?.map(drop).ok_or_else(void)
}

/// The user of a token with a good signature, if neither the token nor its login nor the user has
/// been revoked since.
async fn standing(auth: &Auth, identity: &Identity) -> Result<Option<Holder>, Problem> {
    let reader = auth.database.reader();
    let Some(id) = local_id(&identity.user) else { return Ok(None) };
    if revocations::is_revoked(reader, &identity.token, &identity.session).await? {
        return Ok(None);
    }
    let holder = users::holder(reader, id, &auth.names.full(id)).await?;
    Ok(holder.filter(|holder| identity.issued_at >= holder.void_before))
}

/// Tokens carry whole seconds; one that is issued in the second of a revocation, but after it, must
/// not look older than it.
fn issued_at(now: i64, holder: &Holder) -> i64 {
    (now / SECOND).max((holder.void_before + SECOND - 1) / SECOND)
}

fn issue(
    key: &SigningKey,
    kind: Kind,
    user: &User,
    login: &str,
    issued_at: i64,
    lifetimes: &Lifetimes,
) -> Result<String, KeyError> {
    let lifetime = if kind == Kind::Refresh { lifetimes.refresh } else { lifetimes.access };
    sign(key, kind, user, login, issued_at, lifetime)
}

/// An access token that belongs to no login, for as long as is said.
pub(crate) fn of_no_login(key: &SigningKey, holder: &Holder, lifetime: i64) -> Result<String, KeyError> {
    sign(key, Kind::Access, &holder.user, "", issued_at(now(), holder), lifetime)
}

fn sign(
    key: &SigningKey,
    kind: Kind,
    user: &User,
    login: &str,
    issued_at: i64,
    lifetime: i64,
) -> Result<String, KeyError> {
    let expires_at = issued_at.saturating_add(lifetime / SECOND);
    let claims = CarillonClaims {
        sid: login.to_owned(),
        preferred_username: user.username.clone(),
        email: user.email.clone(),
        given_name: user.first_name.clone(),
        family_name: user.last_name.clone(),
        roles: user.roles.clone(),
        ..CarillonClaims::new(kind, user.id.to_string(), random_id(), issued_at, expires_at)
    };
    Ok(key.issue(&claims)?)
}

fn refused(error: VerifyError) -> Problem {
    match error {
        VerifyError::KeysUnavailable => Problem::unavailable("the token can't be verified now"),
        VerifyError::Expired | VerifyError::Invalid(_) => Problem::unauthorized(&error.to_string()),
    }
}

fn void() -> Problem {
    Problem::unauthorized("the token has been revoked")
}
