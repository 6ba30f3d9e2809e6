//! `/api/auth/orgs/{org_id}/members/` and `/api/auth/projects/{project_id}/members/`.

use std::{collections::BTreeSet, fmt};

use carillon_contract::{
    Id, Resource, ResourceKind,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json};

use super::{
    begin,
    groups::{named, unknown},
    page::Page,
};
use crate::{answers::Change, auth::Auth, members, resources, user_name::rendered};

/// The most members that one replacement can name.
const MAX_MEMBERS: usize = 10_000;

#[derive(Deserialize)]
struct Body {
    members: Members,
}

struct Members(BTreeSet<String>);

pub(super) async fn list(
    auth: &Auth,
    request: &HttpRequest,
    kind: ResourceKind,
) -> Result<HttpReply, Problem> {
    let resource = named(request, kind)?;
    let page = Page::of(request)?;
    let (users, more) = auth.page_of_members(&resource, &page.after, page.limit).await?;
    if users.is_empty() && !resources::exists(auth.database.reader(), &resource).await? {
        return Err(unknown(kind));
    }
    let next = users.last().filter(|_| more);
    let members: Vec<Value> = users.iter().map(|user| rendered(user)).collect();
    Ok(http::json(200, &json!({ "members": members, "next": next })))
}

pub(super) async fn add(
    auth: &Auth,
    request: &HttpRequest,
    kind: ResourceKind,
) -> Result<HttpReply, Problem> {
    let (user, resource) = (member(request)?, named(request, kind)?);
    let mut change = begin!(auth, request);
    lock(auth, &mut change, &resource).await?;
    members::add(&mut change.tx, &resource, &user, &mut change.effects).await?;
    let answer = http::no_content();
    change.commit(auth, &answer).await?;
    Ok(answer)
}

pub(super) async fn remove(
    auth: &Auth,
    request: &HttpRequest,
    kind: ResourceKind,
) -> Result<HttpReply, Problem> {
    let (user, resource) = (member(request)?, named(request, kind)?);
    let mut change = begin!(auth, request);
    lock(auth, &mut change, &resource).await?;
    if !members::remove(&mut change.tx, &resource, &user, &mut change.effects).await? {
        return Err(Problem::not_found("this user is no member"));
    }
    let answer = http::no_content();
    change.commit(auth, &answer).await?;
    auth.metrics.revoked("membership", 1);
    Ok(answer)
}

/// Makes these users, and nobody else, the members: how another system keeps them in step.
pub(super) async fn replace(
    auth: &Auth,
    request: &HttpRequest,
    kind: ResourceKind,
) -> Result<HttpReply, Problem> {
    let Body { members: Members(wanted) } = http::body(request)?;
    let resource = named(request, kind)?;
    let mut change = begin!(auth, request);
    lock(auth, &mut change, &resource).await?;
    let replaced = members::replace(&mut change.tx, &resource, &wanted, &mut change.effects).await?;
    let answer = http::json(200, &json!({ "added": replaced.added, "removed": replaced.removed }));
    change.commit(auth, &answer).await?;
    auth.metrics.revoked("membership", replaced.removed);
    Ok(answer)
}

/// From here on nobody else changes the members of this group.
///
/// # Errors
/// 404 if there is none.
async fn lock(auth: &Auth, change: &mut Change, resource: &Resource) -> Result<(), Problem> {
    let exists = resources::lock(&auth.database, &mut change.tx, resource).await?;
    if exists { Ok(()) } else { Err(unknown(resource.kind())) }
}

fn member(request: &HttpRequest) -> Result<String, Problem> {
    let id = Id::new(http::parameter(request, "user_id"));
    id.map(Id::into_string).map_err(|error| Problem::unprocessable("user_id", &error.to_string()))
}

/// Bounded while it is read.
impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {MAX_MEMBERS} ids")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Members, A::Error> {
                let mut members = BTreeSet::new();
                while let Some(id) = items.next_element::<Id>()? {
                    members.insert(id.into_string());
                    if members.len() > MAX_MEMBERS {
                        return Err(de::Error::custom(format!("more than {MAX_MEMBERS} members")));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_seq(Visitor)
    }
}
