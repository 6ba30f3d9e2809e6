//! Refusals in document 2's words.

use carillon_bus::RequestError;
use carillon_service::http::Problem;
use carillon_store::StoreError;
use serde_json::json;

use crate::{content::ContentError, fields::FieldError};

/// Why nothing was sent, or not to all.
#[derive(Debug)]
pub(crate) enum SendError {
    /// Answered with the document's body.
    Refused {
        /// The HTTP status.
        status: u16,
        /// One line.
        message: String,
    },
    /// Answered as on every other route.
    Problem(Problem),
}

impl SendError {
    pub(super) fn invalid(message: &str) -> Self {
        Self::Refused { status: 400, message: message.to_owned() }
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self::Refused { status: 403, message: message.to_owned() }
    }

    pub(super) fn no_organisation() -> Self {
        Self::Refused { status: 404, message: "There is no such organisation".to_owned() }
    }

    pub(super) fn key_taken() -> Self {
        let message = "The Idempotency-Key was used for another notification".to_owned();
        Self::Refused { status: 409, message }
    }
}

/// The document's error body.
pub(super) fn body(message: &str) -> String {
    json!({"status": "error", "message": message}).to_string()
}

impl From<ContentError> for SendError {
    fn from(error: ContentError) -> Self {
        let status = if error == ContentError::Field(FieldError::TooLarge) { 413 } else { 400 };
        Self::Refused { status, message: error.to_string() }
    }
}

impl From<FieldError> for SendError {
    fn from(error: FieldError) -> Self {
        ContentError::Field(error).into()
    }
}

impl From<Problem> for SendError {
    fn from(problem: Problem) -> Self {
        match problem.status() {
            400 => Self::invalid(problem.detail()),
            _ => Self::Problem(problem),
        }
    }
}

impl From<StoreError> for SendError {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<RequestError> for SendError {
    fn from(error: RequestError) -> Self {
        Self::Problem(error.into())
    }
}
