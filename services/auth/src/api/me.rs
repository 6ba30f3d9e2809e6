//! `GET /api/auth/me/`: who the caller is, and where a member.

use carillon_contract::{
    Id, ResourceKind,
    messages::{HttpReply, HttpRequest, Identity},
};
use carillon_service::http::{self, Problem};
use carillon_token::CARILLON;
use serde::Serialize;
use serde_json::Value;

use crate::{
    auth::Auth,
    resources::{self, Group},
    user_name::rendered,
    users::{self, User},
};

/// The most organisations, and the most projects, that are listed.
const MAX_GROUPS: i64 = 1_000;

#[derive(Serialize)]
struct Me {
    id: Value,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    roles: Vec<String>,
    organisations: Vec<Organisation>,
    projects: Vec<Project>,
}

#[derive(Serialize)]
struct Organisation {
    id: Id,
    name: String,
}

#[derive(Serialize)]
struct Project {
    id: Id,
    name: String,
    key: Option<String>,
}

pub(super) async fn me(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let identity = http::user(request)?;
    let reader = auth.database.reader();
    let organisations =
        resources::of_user(reader, ResourceKind::Organisation, &identity.user, "", MAX_GROUPS).await?;
    let projects = resources::of_user(reader, ResourceKind::Project, &identity.user, "", MAX_GROUPS).await?;
    let person = if identity.issuer == CARILLON { user(auth, identity).await? } else { identity.clone() };
    let me = Me {
        id: rendered(&person.user),
        username: person.username,
        email: person.email,
        first_name: person.first_name,
        last_name: person.last_name,
        roles: person.roles,
        organisations: organisations.into_iter().map(Organisation::from).collect(),
        projects: projects.into_iter().map(Project::from).collect(),
    };
    Ok(http::json(200, &me))
}

/// The user as it is now: the token may be older than its last change.
async fn user(auth: &Auth, identity: &Identity) -> Result<Identity, Problem> {
    let gone = || Problem::unauthorized("there is no such active user any more");
    let id = auth.names.local(&identity.user).ok_or_else(gone)?;
    let holder = users::holder(auth.database.reader(), id, &identity.user).await?;
    let User { username, email, first_name, last_name, roles, .. } = holder.ok_or_else(gone)?.user;
    Ok(Identity { username, email, first_name, last_name, roles, ..identity.clone() })
}

impl From<Group> for Organisation {
    fn from(group: Group) -> Self {
        Self { id: group.id, name: group.name }
    }
}

impl From<Group> for Project {
    fn from(group: Group) -> Self {
        Self { id: group.id, name: group.name, key: group.key }
    }
}
