//! Who is at an endpoint with presence: what a session comes to there.

use carillon_contract::{Channel, Person, endpoint, messages::Session};
use carillon_presence::{Entry, Position};
use carillon_service::Failure;

use super::place;

/// A connection as presence sees it.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(super) connection: String,
    /// The gateway's lease.
    lease: String,
    pub(super) project: String,
    pub(super) person: Person,
}

impl Visitor {
    /// Reads a session. `None` if it is nobody's, or at an endpoint without presence.
    ///
    /// # Errors
    /// A session that no gateway would describe.
    pub(crate) fn of(session: &Session) -> Result<Option<Self>, Failure> {
        let malformed = |what: &str| Failure::Malformed(what.to_owned());
        let endpoint = endpoint(&session.endpoint).ok_or_else(|| malformed("no such endpoint"))?;
        let project = session.parameters.get("project_id").ok_or_else(|| malformed("no project"))?;
        let user = session.identity.as_ref().filter(|identity| !identity.service).and_then(Person::of);
        Ok(user.filter(|_| endpoint.presence).map(|person| Self {
            connection: session.connection.clone(),
            lease: session.gateway.clone(),
            project: project.clone(),
            person,
        }))
    }

    /// `project.{id}.presence`
    pub(super) fn scope(&self) -> Result<Channel, Failure> {
        place::scope(&self.project).map_err(|error| Failure::Malformed(error.to_string()))
    }

    pub(super) fn user(&self) -> &str {
        self.person.id.as_str()
    }

    /// What counts it in.
    pub(super) fn entry(&self) -> Result<Entry, Failure> {
        Ok(Entry {
            topic: self.scope()?.to_string(),
            member: self.user().to_owned(),
            connection: self.connection.clone(),
            lease: self.lease.clone(),
            detail: self.detail()?,
        })
    }

    /// That it is at a topic by a frame, or at none.
    pub(super) fn position(&self, topic: Option<String>, number: u64) -> Result<Position, Failure> {
        Ok(Position {
            connection: self.connection.clone(),
            scope: self.scope()?.to_string(),
            topic,
            member: self.user().to_owned(),
            detail: self.detail()?,
            number,
        })
    }

    /// The person, as presence keeps it.
    fn detail(&self) -> Result<String, Failure> {
        serde_json::to_string(&self.person).map_err(|error| Failure::Internal(error.to_string()))
    }
}
