//! What the ticket-presence service asks: projects, and who of some users are their members.

use std::collections::{BTreeMap, BTreeSet};

use carillon_contract::{
    Id, Resource, ResourceKind,
    messages::{Profile, Project, ProjectReply, ProjectRequest, ProjectsReply, ProjectsRequest},
};
use carillon_service::Failure;
use carillon_store::{StoreError, values};

use crate::{
    auth::Auth,
    members,
    resources::{self, Group},
    users,
};

/// The most projects of one reply.
const MAX_PROJECTS: u32 = 500;

/// The most users, and the most usernames, of one request.
const MAX_ASKED: usize = values::MAX_ROWS;

/// Answers `rpc.auth.projects`.
pub(crate) async fn page(auth: &Auth, request: ProjectsRequest) -> Result<ProjectsReply, Failure> {
    let reader = auth.database.reader();
    let limit = if request.limit == 0 { MAX_PROJECTS } else { request.limit.min(MAX_PROJECTS) };
    let one_more = i64::from(limit) + 1;
    let mut groups = match request.user.as_str() {
        "" => resources::page(reader, ResourceKind::Project, &request.after, one_more).await?,
        user => resources::of_user(reader, ResourceKind::Project, user, &request.after, one_more).await?,
    };
    let more = groups.len() > limit as usize;
    groups.truncate(limit as usize);
    Ok(ProjectsReply { projects: groups.into_iter().map(project).collect(), more })
}

/// Answers `rpc.auth.project`.
pub(crate) async fn show(auth: &Auth, request: ProjectRequest) -> Result<ProjectReply, Failure> {
    if request.users.len() > MAX_ASKED || request.usernames.len() > MAX_ASKED {
        return Err(Failure::Malformed(format!("at most {MAX_ASKED} users are asked for at a time")));
    }
    // What can't be an id is nothing's id.
    let id = Id::new(request.id).ok();
    let Some(resource) = id.and_then(|id| Resource::new(ResourceKind::Project, id.as_str()).ok()) else {
        return Ok(ProjectReply::default());
    };
    let Some(group) = resources::find(auth.database.reader(), &resource).await? else {
        return Ok(ProjectReply::default());
    };
    let members = profiles(auth, &resource, request.users, &request.usernames).await?;
    Ok(ProjectReply { project: Some(project(group)), members })
}

/// Those of the users, and of those with these usernames, who are members.
async fn profiles(
    auth: &Auth,
    resource: &Resource,
    users: Vec<String>,
    usernames: &[String],
) -> Result<Vec<Profile>, StoreError> {
    let reader = auth.database.reader();
    let named = users::with_names(reader, usernames).await?;
    let mut asked: BTreeSet<String> = users.into_iter().collect();
    asked.extend(named.iter().map(|user| auth.names.full(user.id)));
    let members = members::among(reader, resource, asked).await?;
    let local: Vec<i64> = members.iter().filter_map(|member| auth.names.local(member)).collect();
    let known: BTreeMap<i64, _> =
        users::with_ids(reader, &local).await?.into_iter().map(|user| (user.id, user)).collect();
    let profile = |user: String| {
        let known = auth.names.local(&user).and_then(|id| known.get(&id)).cloned().unwrap_or_default();
        let users::Name { username, first_name, last_name, .. } = known;
        Profile { user, username, first_name, last_name }
    };
    Ok(members.into_iter().map(profile).collect())
}

fn project(group: Group) -> Project {
    Project { id: group.id.into_string(), name: group.name, key: group.key.unwrap_or_default() }
}
