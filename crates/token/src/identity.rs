//! Who the claims of a verified token say is there.

use carillon_contract::{Id, messages::Identity};
use serde_json::{Map, Value};

use crate::{Issuer, Kind, VerifyError, claims, times::Times};

/// The identity in claims whose signature is good. `names` are those of every configured issuer.
pub(crate) fn identity(
    issuer: &Issuer,
    names: &[String],
    kind: Kind,
    claims: &Map<String, Value>,
    times: &Times,
) -> Result<Identity, VerifyError> {
    let common = Identity {
        token: claims::text(claims, &["jti".to_owned()]),
        session: claims::text(claims, &["sid".to_owned()]),
        issuer: issuer.name.clone(),
        issued_at: times.issued_at,
        expires_at: times.expires_at,
        ..Identity::default()
    };
    if issuer.own && common.token.is_empty() {
        return Err(VerifyError::Invalid("no token id"));
    }
    match kind {
        Kind::Service => Ok(service(claims, common)),
        Kind::Access | Kind::Refresh => user(issuer, names, claims, common),
    }
}

/// A back end: no user, no roles, only scopes. Its name is for logs.
fn service(claims: &Map<String, Value>, common: Identity) -> Identity {
    Identity {
        username: claims::text(claims, &["preferred_username".to_owned(), "sub".to_owned()]),
        scopes: claims::words(claims.get("scope")).into_iter().map(str::to_owned).collect(),
        service: true,
        ..common
    }
}

fn user(
    issuer: &Issuer,
    names: &[String],
    claims: &Map<String, Value>,
    common: Identity,
) -> Result<Identity, VerifyError> {
    let roles = claims::words(claims::find(claims, &issuer.claims.roles));
    Ok(Identity {
        user: user_id(issuer, names, claims)?,
        username: claims::text(claims, &issuer.claims.username),
        email: claims::text(claims, &issuer.claims.email),
        first_name: claims::text(claims, &issuer.claims.first_name),
        last_name: claims::text(claims, &issuer.claims.last_name),
        roles: if issuer.own {
            roles.into_iter().map(str::to_owned).collect()
        } else {
            issuer.roles.apply(&roles)
        },
        ..common
    })
}

/// Bare for the issuer that owns such ids, else with the issuer's name before it. A bare id that looks
/// like another issuer's is refused, else one could stand for the other's user.
fn user_id(issuer: &Issuer, names: &[String], claims: &Map<String, Value>) -> Result<String, VerifyError> {
    let bare = match claims::find(claims, &issuer.claims.user) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
        Some(_) => return Err(VerifyError::Invalid("the user id is neither text nor a whole number")),
        None => return Err(VerifyError::Invalid("no user id")),
    };
    let id = Id::new(bare).map_err(|_| VerifyError::Invalid("not a user id"))?.into_string();
    if !issuer.bare_ids {
        let prefixed = Id::new(format!("{}:{id}", issuer.name));
        return prefixed.map(Id::into_string).map_err(|_| VerifyError::Invalid("not a user id"));
    }
    let prefix = id.split_once(':').map(|(prefix, _)| prefix);
    if prefix.is_some_and(|prefix| names.iter().any(|name| name == prefix)) {
        return Err(VerifyError::Invalid("the user id looks like another issuer's"));
    }
    Ok(id)
}
