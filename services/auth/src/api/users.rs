//! `/api/auth/users/`: who can log in.

use carillon_contract::{
    Id,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::{
    http::{self, Problem},
    time::timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{begin, page::Page};
use crate::{
    auth::Auth,
    members, new_user, revocations,
    user_name::rendered,
    users::{self, NewUser, User},
};

#[derive(Deserialize)]
struct Body {
    username: String,
    password: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    first_name: String,
    #[serde(default)]
    last_name: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default = "active")]
    active: bool,
}

#[derive(Serialize)]
struct Shown {
    id: Value,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    roles: Vec<String>,
    active: bool,
    created_at: String,
}

pub(super) async fn list(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let page = Page::of(request)?;
    let after = match page.after.as_str() {
        "" => 0,
        name => auth.names.local(name).ok_or_else(|| Problem::unprocessable("after", "is no user's id"))?,
    };
    let users = users::page(auth.database.reader(), after, page.rows()).await?;
    let (users, next) = page.cut(users, |user| auth.names.full(user.id));
    let items: Vec<Shown> = users.into_iter().map(|user| shown(auth, user)).collect();
    Ok(http::json(200, &json!({ "items": items, "next": next })))
}

pub(super) async fn create(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let body: Body = http::body(request)?;
    let user = NewUser {
        id: None,
        username: new_user::username(&body.username)?,
        email: new_user::text("email", body.email)?,
        first_name: new_user::text("first_name", body.first_name)?,
        last_name: new_user::text("last_name", body.last_name)?,
        roles: new_user::roles(body.roles)?,
        password_hash: auth.passwords.hash(new_user::password(body.password)?).await?,
        active: body.active,
    };
    let mut change = begin!(auth, request);
    let user = users::create(&mut change.tx, user).await?;
    let user = user.ok_or_else(|| Problem::conflict("there is a user of that name"))?;
    let answer = http::json(201, &shown(auth, user));
    change.commit(auth, &answer).await?;
    Ok(answer)
}

/// Removes a user with all memberships; what tokens there are become void.
pub(super) async fn delete(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let name = http::parameter(request, "user_id");
    let unknown = || Problem::not_found("there is no such user");
    let id = auth.names.local(name).ok_or_else(unknown)?;
    let mut change = begin!(auth, request);
    let (tx, effects) = (&mut change.tx, &mut change.effects);
    if !users::delete(tx, id).await? {
        return Err(unknown());
    }
    effects.user_revoked(revocations::revoke_user(tx, name, &auth.lifetimes).await?);
    let ended = members::leave_all(tx, name, effects).await?;
    let answer = http::no_content();
    change.commit(auth, &answer).await?;
    auth.metrics.revoked("user", 1);
    auth.metrics.revoked("membership", ended);
    Ok(answer)
}

/// Voids every token that a user has now, be it ours or another issuer's: users of those are in
/// nobody's table, so there is none that is unknown.
pub(super) async fn revoke(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let user = Id::new(http::parameter(request, "user_id"))
        .map_err(|error| Problem::unprocessable("user_id", &error.to_string()))?;
    let mut change = begin!(auth, request);
    let revoked = revocations::revoke_user(&mut change.tx, user.as_str(), &auth.lifetimes).await?;
    change.effects.user_revoked(revoked);
    let answer = http::no_content();
    change.commit(auth, &answer).await?;
    auth.metrics.revoked("user", 1);
    Ok(answer)
}

fn shown(auth: &Auth, user: User) -> Shown {
    Shown {
        id: rendered(&auth.names.full(user.id)),
        username: user.username,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        roles: user.roles,
        active: user.active,
        created_at: timestamp(user.created_at),
    }
}

fn active() -> bool {
    true
}
