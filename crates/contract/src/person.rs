//! Users as clients read them.

use serde::{Deserialize, Serialize};

use crate::{Id, messages::Identity};

/// A user as clients read it (S4-03), as its token tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Opaque text.
    pub id: Id,
    /// Empty where the token has none; so are the others.
    #[serde(default)]
    pub first_name: String,
    #[serde(default)]
    #[allow(missing_docs)]
    pub last_name: String,
    #[serde(default)]
    #[allow(missing_docs)]
    pub username: String,
}

impl Person {
    /// `None` for an identity without a user: a service token.
    pub fn of(identity: &Identity) -> Option<Self> {
        Some(Self {
            id: Id::new(identity.user.as_str()).ok()?,
            first_name: identity.first_name.clone(),
            last_name: identity.last_name.clone(),
            username: identity.username.clone(),
        })
    }

    /// The name to show: the username, else the real name, else the id.
    pub fn display_name(&self) -> String {
        if !self.username.is_empty() {
            return self.username.clone();
        }
        let full = format!("{} {}", self.first_name, self.last_name).trim().to_owned();
        if full.is_empty() { self.id.to_string() } else { full }
    }
}
