//! Answers to a connection in the words of this service.

pub(crate) use carillon_service::reply::{Refusal, accept, accept_binary, frames, refused, reject, silence};

/// Document 2's words for a frame of the wrong shape (S2-03).
pub(crate) fn wrong_format() -> Refusal {
    Refusal::new("invalid", "Invalid message format")
}

/// Somebody speaks who is no participant, or no longer.
pub(crate) fn not_a_participant() -> Refusal {
    Refusal::new("not_a_participant", "You are not a participant of this conversation")
}
