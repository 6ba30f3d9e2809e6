//! A stand-in for auth: organisations and their members.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Refusal, RefusalKind, Server};
use carillon_contract::{
    Method, Resource, ServiceName,
    messages::{
        MembersReply, MembersRequest, MembershipReply, MembershipRequest, Profile, Project, ProjectReply,
        ProjectRequest, ProjectsReply, ProjectsRequest,
    },
};
use prost::Message;

/// What it answers from.
#[derive(Debug, Default)]
pub struct State {
    /// The members of each organisation and project, by its id.
    pub members: BTreeMap<String, BTreeSet<String>>,
    /// It answers that it is unavailable.
    pub away: bool,
    /// From the page after this user on, it is away.
    pub away_after: Option<String>,
    /// The largest page.
    pub page: Option<usize>,
    /// The usernames that are known, by user.
    pub usernames: BTreeMap<String, String>,
}

/// Answers `membership`, `members`, `project` and `projects`. Clones share the state.
#[derive(Debug, Clone, Default)]
pub struct Auth(Arc<Mutex<State>>);

impl Auth {
    /// Serves on a bus until the result is dropped.
    ///
    /// # Panics
    /// If the bus refuses.
    pub async fn serve(&self, bus: &Bus) -> Server {
        bus.serve(ServiceName::Auth, 16, self.clone()).await.expect("auth serves")
    }

    /// Changes what it answers.
    ///
    /// # Panics
    /// If another change panicked.
    pub fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.lock().expect("no panic"));
    }

    /// Adds members to an organisation or project, which exists from now on.
    pub fn add(&self, org: &str, users: impl IntoIterator<Item = String>) {
        self.set(|state| state.members.entry(org.to_owned()).or_default().extend(users));
    }

    /// Tells the name of a user.
    pub fn name(&self, user: &str, username: &str) {
        self.set(|state| {
            state.usernames.insert(user.to_owned(), username.to_owned());
        });
    }

    fn project(&self, request: ProjectRequest) -> ProjectReply {
        let state = self.0.lock().expect("no panic");
        let Some(members) = state.members.get(&request.id) else { return ProjectReply::default() };
        let named = state.usernames.iter().filter(|(_, username)| {
            request.usernames.iter().any(|wanted| wanted.eq_ignore_ascii_case(username))
        });
        let asked: BTreeSet<String> =
            request.users.iter().cloned().chain(named.map(|(user, _)| user.clone())).collect();
        let profile = |user: &String| Profile {
            user: user.clone(),
            username: state.usernames.get(user).cloned().unwrap_or_default(),
            ..Profile::default()
        };
        ProjectReply {
            project: Some(project(&request.id)),
            members: asked.iter().filter(|user| members.contains(*user)).map(profile).collect(),
        }
    }

    fn projects(&self, request: &ProjectsRequest) -> ProjectsReply {
        let state = self.0.lock().expect("no panic");
        let limit = state.page.unwrap_or(500).min(request.limit as usize);
        let is_listed = |(_, members): &(&String, &BTreeSet<String>)| {
            request.user.is_empty() || members.contains(&request.user)
        };
        let listed = state.members.iter().filter(is_listed).filter(|(id, _)| **id > request.after);
        let mut projects: Vec<Project> = listed.take(limit + 1).map(|(id, _)| project(id)).collect();
        let more = projects.len() > limit;
        projects.truncate(limit);
        ProjectsReply { projects, more }
    }

    fn membership(&self, request: &MembershipRequest) -> MembershipReply {
        let state = self.0.lock().expect("no panic");
        let members = state.members.get(&id(&request.resource));
        MembershipReply {
            exists: members.is_some(),
            member: members.is_some_and(|members| members.contains(&request.user)),
        }
    }

    fn members(&self, request: &MembersRequest) -> Result<MembersReply, Refusal> {
        let state = self.0.lock().expect("no panic");
        if state.away_after.as_ref() == Some(&request.after) {
            return Err(Refusal::new(RefusalKind::Unavailable, "away"));
        }
        let Some(members) = state.members.get(&id(&request.resource)) else {
            return Ok(MembersReply::default());
        };
        let limit = state.page.unwrap_or(500).min(request.limit as usize);
        let mut users: Vec<String> =
            members.iter().filter(|user| **user > request.after).take(limit + 1).cloned().collect();
        let more = users.len() > limit;
        users.truncate(limit);
        Ok(MembersReply { exists: true, users, more })
    }
}

impl Handler for Auth {
    async fn handle(&self, method: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        if self.0.lock().expect("no panic").away {
            return Err(Refusal::new(RefusalKind::Unavailable, "away"));
        }
        match method {
            MembershipRequest::NAME => {
                let request = MembershipRequest::decode(payload).expect("a request");
                Ok(self.membership(&request).encode_to_vec().into())
            }
            MembersRequest::NAME => {
                let request = MembersRequest::decode(payload).expect("a request");
                Ok(self.members(&request)?.encode_to_vec().into())
            }
            ProjectRequest::NAME => {
                let request = ProjectRequest::decode(payload).expect("a request");
                Ok(self.project(request).encode_to_vec().into())
            }
            ProjectsRequest::NAME => {
                let request = ProjectsRequest::decode(payload).expect("a request");
                Ok(self.projects(&request).encode_to_vec().into())
            }
            other => panic!("auth has no method {other}"),
        }
    }
}

/// The key of project `1` is `PROJ`, as in document 3; others are named after their ids.
fn project(id: &str) -> Project {
    let key = match id {
        "1" => "PROJ".to_owned(),
        id => format!("P{}", id.to_uppercase()),
    };
    Project { id: id.to_owned(), name: format!("Project {id}"), key }
}

fn id(resource: &str) -> String {
    resource.parse::<Resource>().expect("a resource").id().to_owned()
}
