//! Who wrote a message.

use carillon_contract::{Id, Person};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Who wrote a message, as it was when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Author {
    /// A user, named by its token.
    User(Person),
    /// A client without a token, by the name that it gave itself.
    Anonymous(String),
    /// A back end, by the name that it gave (S2-05).
    BackEnd(String),
}

impl Author {
    /// The user's id; empty if it is none.
    pub(crate) fn user(&self) -> &str {
        match self {
            Self::User(person) => person.id.as_str(),
            Self::Anonymous(_) | Self::BackEnd(_) => "",
        }
    }

    /// The name to show.
    pub(crate) fn display_name(&self) -> String {
        match self {
            Self::User(person) => person.display_name(),
            Self::Anonymous(name) | Self::BackEnd(name) => name.clone(),
        }
    }

    /// The `sender` of a conversation's message (S4-03).
    pub(crate) fn sender(&self) -> Value {
        match self {
            Self::User(person) => json!(person),
            Self::Anonymous(name) | Self::BackEnd(name) => {
                json!({"id": null, "first_name": name, "last_name": "", "username": name})
            }
        }
    }

    /// The user's id as clients read it; null if it is none.
    pub(crate) fn id(&self) -> Option<&Id> {
        match self {
            Self::User(person) => Some(&person.id),
            Self::Anonymous(_) | Self::BackEnd(_) => None,
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous(_))
    }
}
