//! `GET /api/projects/{project_id}/members/`: who is in a project, for those who are in it.

use carillon_contract::{
    ResourceKind,
    messages::{HttpReply, HttpRequest},
};
use carillon_service::http::{self, Problem};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    groups::{named, unknown},
    page::Page,
};
use crate::{
    auth::Auth,
    members, resources,
    user_name::rendered,
    users::{self, Name},
};

/// A member as the others see them. Of one whom only their tokens know there is no more than the id.
#[derive(Serialize)]
struct Person {
    id: Value,
    username: String,
    first_name: String,
    last_name: String,
}

pub(super) async fn list(auth: &Auth, request: &HttpRequest) -> Result<HttpReply, Problem> {
    let (caller, project) = (http::user(request)?, named(request, ResourceKind::Project)?);
    let page = Page::of(request)?;
    let reader = auth.database.reader();
    if !resources::exists(reader, &project).await? {
        return Err(unknown(ResourceKind::Project));
    }
    if !caller.is_admin() && !members::is_member(reader, &project, &caller.user).await? {
        return Err(Problem::forbidden("not a member of this project"));
    }
    let (ids, more) = auth.page_of_members(&project, &page.after, page.limit).await?;
    let locals: Vec<i64> = ids.iter().filter_map(|id| auth.names.local(id)).collect();
    let names = users::with_ids(reader, &locals).await?;
    let people: Vec<Person> = ids.iter().map(|id| person(id, auth.names.local(id), &names)).collect();
    let next = ids.last().filter(|_| more);
    Ok(http::json(200, &json!({ "members": people, "next": next })))
}

fn person(id: &str, local: Option<i64>, names: &[Name]) -> Person {
    let name = names.iter().find(|name| Some(name.id) == local).cloned().unwrap_or_default();
    let Name { username, first_name, last_name, .. } = name;
    Person { id: rendered(id), username, first_name, last_name }
}
