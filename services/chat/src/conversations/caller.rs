//! Who does something to a conversation.

use carillon_contract::Person;
use carillon_contract::messages::HttpRequest;
use carillon_service::{
    Failure,
    http::{self, Problem},
};

use crate::visitor::Visitor;

/// A user, and whether it may do what only admins may.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    pub(super) person: Person,
    pub(super) is_admin: bool,
}

impl Caller {
    /// Who is at the other end of a connection.
    pub(super) fn at(visitor: &Visitor) -> Result<Self, Failure> {
        let identity = visitor.identity.as_ref();
        let person = identity.and_then(Person::of);
        let person = person.ok_or_else(|| Failure::Malformed("a conversation has users".to_owned()))?;
        Ok(Self { person, is_admin: identity.is_some_and(|identity| identity.is_admin()) })
    }

    /// Who asks. A service token stands for no user.
    pub(super) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let identity = http::user(request)?;
        let person = Person::of(identity).filter(|_| !identity.service);
        let person = person.ok_or_else(|| Problem::forbidden("only users have conversations"))?;
        Ok(Self { person, is_admin: identity.is_admin() })
    }

    pub(super) fn user(&self) -> &str {
        self.person.id.as_str()
    }
}
