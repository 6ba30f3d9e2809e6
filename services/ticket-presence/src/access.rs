//! Who may do what in a project: auth knows the projects and their members.

use std::collections::BTreeMap;

use carillon_bus::Bus;
use carillon_contract::{
    Id, Person, ServiceName,
    messages::{HttpRequest, Identity, Profile, ProjectRequest},
};
use carillon_service::{
    Failure,
    http::{self, Problem},
};
use carillon_store::Database;

use crate::people;

/// Said to whoever is no member.
pub(crate) const NOT_A_MEMBER: &str = "not a member of the project";

/// Said of a project that isn't there.
pub(crate) const UNKNOWN_PROJECT: &str = "there is no such project";

/// A user, and whether it may do what only admins may.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) person: Person,
    pub(crate) is_admin: bool,
}

/// A project, and those of its members who were asked for.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) id: Id,
    pub(crate) name: String,
    /// Prefix of its tickets' keys.
    pub(crate) key: String,
    members: BTreeMap<String, Person>,
}

/// Of whom it matters whether they are members, beside the caller.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) users: Vec<String>,
    /// Their usernames.
    pub(crate) names: Vec<String>,
}

/// Why somebody may not enter a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    Unknown,
    NotAMember,
}

/// The door to every project.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    bus: Bus,
    database: Database,
}

impl Access {
    pub(crate) fn new(bus: Bus, database: Database) -> Self {
        Self { bus, database }
    }

    /// Lets members and admins in. What their tokens say of them is remembered for others.
    pub(crate) async fn enter(
        &self,
        project: &str,
        identity: &Identity,
        mut asked: Asked,
    ) -> Result<Result<Project, Denied>, Failure> {
        if let Some(person) = Person::of(identity).filter(|_| !identity.service) {
            people::remember(&self.database, &person).await?;
        }
        asked.users.push(identity.user.clone());
        let Some(project) = self.ask(project, asked).await? else { return Ok(Err(Denied::Unknown)) };
        let may = identity.is_admin() || !identity.service && project.member(&identity.user).is_some();
        Ok(if may { Ok(project) } else { Err(Denied::NotAMember) })
    }

    /// [`enter`](Self::enter) for the caller of a route.
    ///
    /// # Errors
    /// 404, 403, or that auth is away.
    pub(crate) async fn visit(
        &self,
        request: &HttpRequest,
        asked: Asked,
    ) -> Result<(Project, Caller), Problem> {
        let caller = Caller::of(http::user(request)?)?;
        let entered = self.enter(http::parameter(request, "project_id"), http::user(request)?, asked).await?;
        entered.map(|project| (project, caller)).map_err(Denied::problem)
    }

    /// A project, whoever asks. `None` if there is none.
    pub(crate) async fn ask(&self, project: &str, asked: Asked) -> Result<Option<Project>, Failure> {
        let remembered = people::named(&self.database, &asked.names).await?;
        let mut users = asked.users;
        users.extend(remembered.iter().map(|person| person.id.to_string()));
        let request = ProjectRequest { id: project.to_owned(), users, usernames: asked.names };
        let reply = self.bus.call(ServiceName::Auth, &request).await?;
        let Some(found) = reply.project else { return Ok(None) };
        let unnamed: Vec<String> = reply
            .members
            .iter()
            .filter(|profile| profile.username.is_empty())
            .map(|profile| profile.user.clone())
            .collect();
        let known = people::known(&self.database, &unnamed).await?;
        let member = |profile: Profile| {
            let known = known.get(&profile.user).cloned();
            person(&profile).map(|person| (profile.user, known.unwrap_or(person)))
        };
        let members = reply.members.into_iter().filter_map(member).collect();
        let id = Id::new(found.id).map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(Some(Project { id, name: found.name, key: found.key, members }))
    }
}

impl Project {
    /// A member, of those who were asked for.
    pub(crate) fn member(&self, user: &str) -> Option<&Person> {
        self.members.get(user)
    }

    /// The members of that username, in whatever case, of those who were asked for.
    pub(crate) fn named(&self, username: &str) -> impl Iterator<Item = &Person> {
        let folded = people::folded(username);
        self.members.values().filter(move |member| people::folded(&member.username) == folded)
    }
}

impl Caller {
    /// A service token stands for no user.
    fn of(identity: &Identity) -> Result<Self, Problem> {
        let person = Person::of(identity).filter(|_| !identity.service);
        let person = person.ok_or_else(|| Problem::forbidden("only users work on tickets"))?;
        Ok(Self { person, is_admin: identity.is_admin() })
    }

    pub(crate) fn user(&self) -> &str {
        self.person.id.as_str()
    }
}

impl Denied {
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Unknown => Problem::not_found(UNKNOWN_PROJECT),
            Self::NotAMember => Problem::forbidden(NOT_A_MEMBER),
        }
    }
}

fn person(profile: &Profile) -> Option<Person> {
    Some(Person {
        id: Id::new(profile.user.as_str()).ok()?,
        first_name: profile.first_name.clone(),
        last_name: profile.last_name.clone(),
        username: profile.username.clone(),
    })
}
