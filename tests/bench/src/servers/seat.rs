//! What a client listens to, and what it asks for to that end.

use carillon_testkit::{JWT_SECRET, hs256, simple_jwt_claims};
use serde::Serialize;
use serde_json::json;

/// Whether a client shares what it listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Seat {
    /// With everybody who has the same seat: the events of an organisation of this name.
    Shared(&'static str),
    /// Beside a channel of everyone, one that nobody else listens to: the notifications of its user.
    Own,
}

impl Seat {
    /// What a client of a gateway asks for, with a token of the user of this number.
    pub(crate) fn path(self, user: usize) -> String {
        self.path_since(user, "")
    }

    /// The same, with more of a query.
    pub(crate) fn path_since(self, user: usize, more: &str) -> String {
        let token = hs256(JWT_SECRET, &simple_jwt_claims(&json!(user)));
        match self {
            Self::Shared(org) => format!("/ws/events/{org}/?token={token}{more}"),
            Self::Own => format!("/ws/notifications/?token={token}{more}"),
        }
    }

    /// Those who share a seat are one group of the floor's clients.
    pub(crate) fn group(self) -> &'static str {
        match self {
            Self::Shared(org) => org,
            Self::Own => "own",
        }
    }
}
