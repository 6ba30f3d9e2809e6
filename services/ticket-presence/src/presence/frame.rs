//! What clients say at endpoints with presence (S3-03), read as far as that goes without the database.

use carillon_contract::Id;
use carillon_service::reply::Refusal;
use serde::Deserialize;

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Said {
    /// Which ticket this tab shows; null: none.
    Viewing {
        /// It has to be there: a frame that lacks it is not one that says null.
        #[serde(deserialize_with = "Option::deserialize")]
        ticket_id: Option<Id>,
    },
    /// Whether its user is writing about a ticket.
    Typing { ticket_id: Id, is_typing: bool },
}

impl Said {
    /// The ticket that it is about.
    pub(super) fn ticket(&self) -> Option<&Id> {
        match self {
            Self::Viewing { ticket_id } => ticket_id.as_ref(),
            Self::Typing { ticket_id, .. } => Some(ticket_id),
        }
    }
}

/// Reads a frame, and the client's own id for it, which its answer names.
pub(super) fn read(payload: &[u8]) -> (Result<Said, Refusal>, Option<Id>) {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(payload) else {
        return (Err(Refusal::new("invalid_json", "Invalid JSON")), None);
    };
    let client_id = value.get("client_id").and_then(|id| Id::deserialize(id).ok());
    // An array of the members would be read as well.
    let said = value.is_object().then(|| Said::deserialize(value).ok()).flatten();
    (said.ok_or_else(|| Refusal::new("invalid", "Invalid message format")), client_id)
}

#[cfg(test)]
#[path = "frame/tests.rs"]
mod tests;
