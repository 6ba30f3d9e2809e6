//! `/api/auth/orgs/` and `/api/auth/projects/`.

use carillon_contract::{
    Id, Resource, ResourceKind,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::{
    http::{self, Problem},
    time::timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{begin, page::Page};
use crate::{
    auth::Auth,
    new_user,
    resources::{self, Group, NewGroup},
};

const MAX_KEY: usize = 10;

#[derive(Deserialize)]
struct Body {
    id: Option<Id>,
    name: String,
    key: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    id: Id,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    created_at: String,
}

pub(super) async fn list(
    auth: &Auth,
    request: &HttpRequest,
    kind: ResourceKind,
) -> Result<HttpReply, Problem> {
    let page = Page::of(request)?;
    let groups = resources::page(auth.database.reader(), kind, &page.after, page.rows()).await?;
    let (groups, next) = page.cut(groups, |group| group.id.to_string());
    let items: Vec<Shown> = groups.into_iter().map(Shown::from).collect();
    Ok(http::json(200, &json!({ "items": items, "next": next })))
}

pub(super) async fn create(
    auth: &Auth,
    request: &HttpRequest,
    kind: ResourceKind,
) -> Result<HttpReply, Problem> {
    let body: Body = http::body(request)?;
    let name = new_user::text("name", body.name)?;
    if name.trim().is_empty() {
        return Err(Problem::unprocessable("name", "a name is needed"));
    }
    let group = NewGroup { id: body.id, key: key(kind, body.key, &name)?, name };
    let mut change = begin!(auth, request);
    let group = resources::create(&mut change.tx, kind, group).await?.ok_or_else(|| taken(kind))?;
    let answer = http::json(201, &Shown::from(group));
    change.commit(auth, &answer).await?;
    Ok(answer)
}

pub(super) async fn delete(
    auth: &Auth,
    request: &HttpRequest,
    kind: ResourceKind,
) -> Result<HttpReply, Problem> {
    let resource = named(request, kind)?;
    let mut change = begin!(auth, request);
    let ended = resources::remove(&mut change.tx, &resource, &mut change.effects).await?;
    let ended = ended.ok_or_else(|| unknown(kind))?;
    let answer = http::no_content();
    change.commit(auth, &answer).await?;
    auth.metrics.revoked("membership", ended);
    Ok(answer)
}

/// The group that the path names, whether it exists or not.
pub(super) fn named(request: &HttpRequest, kind: ResourceKind) -> Result<Resource, Problem> {
    let id = http::parameter(
        request,
        match kind {
            ResourceKind::Organisation => "org_id",
            ResourceKind::Project => "project_id",
        },
    );
    // What can't be an id is nothing's id.
    Resource::new(kind, id).map_err(|_| unknown(kind))
}

/// 404 for a group that isn't there.
pub(super) fn unknown(kind: ResourceKind) -> Problem {
    Problem::not_found(match kind {
        ResourceKind::Organisation => "there is no such organisation",
        ResourceKind::Project => "there is no such project",
    })
}

fn taken(kind: ResourceKind) -> Problem {
    Problem::conflict(match kind {
        ResourceKind::Organisation => "there is an organisation with this id",
        ResourceKind::Project => "there is a project with this id or key",
    })
}

/// A project's key: the one given, or else the letters and digits of its name.
fn key(kind: ResourceKind, given: Option<String>, name: &str) -> Result<Option<String>, Problem> {
    let rule =
        || Problem::unprocessable("key", "a letter, then up to 9 letters and digits, all of A-Z and 0-9");
    match (kind, given) {
        (ResourceKind::Organisation, None) => Ok(None),
        (ResourceKind::Organisation, Some(_)) => {
            Err(Problem::unprocessable("key", "an organisation has no key"))
        }
        (ResourceKind::Project, Some(key)) if is_key(&key) => Ok(Some(key)),
        (ResourceKind::Project, Some(_)) => Err(rule()),
        (ResourceKind::Project, None) => {
            let plain =
                name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase());
            let key: String = plain.skip_while(char::is_ascii_digit).take(MAX_KEY).collect();
            if is_key(&key) { Ok(Some(key)) } else { Err(rule()) }
        }
    }
}

fn is_key(text: &str) -> bool {
    (1..=MAX_KEY).contains(&text.len())
        && text.starts_with(|letter: char| letter.is_ascii_uppercase())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

impl From<Group> for Shown {
    fn from(group: Group) -> Self {
        let created_at = timestamp(group.created_at);
        Self { id: group.id, name: group.name, key: group.key, created_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_without_a_key_gets_one_from_its_name() {
        let derived = |name| key(ResourceKind::Project, None, name).map_err(|problem| problem.status());
        assert_eq!(derived("My 1st project"), Ok(Some("MY1STPROJE".to_owned())));
        assert_eq!(derived("2 go"), Ok(Some("GO".to_owned())));
        assert_eq!(derived("项目"), Err(422));
    }
}
