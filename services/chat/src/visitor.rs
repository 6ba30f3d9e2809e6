//! Who is at an endpoint, and where: what a session comes to for this service.

use carillon_contract::{
    Channel, Endpoint, Person, endpoint,
    messages::{Identity, Session},
};
use carillon_service::Failure;

/// The counter at the endpoint that names none.
pub(crate) const GLOBAL_COUNTER: &str = "global";

/// The longest name of a room, document or counter, in characters of any script.
pub(crate) const MAX_NAME: usize = 100;

/// A connection as this service sees it.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) connection: String,
    /// The gateway's lease (presence).
    pub(crate) lease: String,
    pub(crate) endpoint: &'static Endpoint,
    /// Of the room, conversation, document or counter.
    pub(crate) name: String,
    /// None: an anonymous client.
    pub(crate) identity: Option<Identity>,
}

impl Visitor {
    /// Reads a session.
    ///
    /// # Errors
    /// A session that no gateway would describe.
    pub(crate) fn of(session: Option<Session>) -> Result<Self, Failure> {
        let malformed = |what: &str| Failure::Malformed(what.to_owned());
        let session = session.ok_or_else(|| malformed("no session"))?;
        let endpoint = endpoint(&session.endpoint).ok_or_else(|| malformed("no such endpoint"))?;
        let named = ["room_name", "name"].iter().find_map(|name| session.parameters.get(*name));
        Ok(Self {
            connection: session.connection,
            lease: session.gateway,
            endpoint,
            name: named.cloned().unwrap_or_else(|| GLOBAL_COUNTER.to_owned()),
            identity: session.identity,
        })
    }

    /// The user, if it is one.
    pub(crate) fn user(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.user.as_str())
    }

    /// As whom presence counts it: an anonymous connection is a person of its own.
    pub(crate) fn member(&self) -> String {
        self.user().map_or_else(|| format!("anonymous:{}", self.connection), str::to_owned)
    }

    /// As other clients read it. `None` for an anonymous client.
    pub(crate) fn person(&self) -> Option<Person> {
        self.identity.as_ref().and_then(Person::of)
    }

    /// The channel that the endpoint listens to.
    ///
    /// # Errors
    /// A name that no gateway would pass on.
    pub(crate) fn channel(&self) -> Result<Channel, Failure> {
        let malformed = |error: &dyn std::fmt::Display| Failure::Malformed(error.to_string());
        let [template] = self.endpoint.channels else {
            return Err(malformed(&"an endpoint of rooms has one channel"));
        };
        Channel::new(template.0[0], &[&self.name]).map_err(|error| malformed(&error))
    }

    /// Whether the name is one that this service has things by.
    pub(crate) fn has_valid_name(&self) -> bool {
        self.name.chars().count() <= MAX_NAME
    }
}
