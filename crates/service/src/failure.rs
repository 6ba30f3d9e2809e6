//! Why a method could not be answered, as its caller is told.

use carillon_bus::{Refusal, RefusalKind, RequestError};
use carillon_store::StoreError;

/// A request that a service could not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// Something that the service needs is away; the same request may succeed later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The request can't be read.
    #[error("malformed: {0}")]
    Malformed(String),
    /// The service has no such method.
    #[error("unknown method")]
    UnknownMethod,
    /// A fault of the service; the log has more.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let (kind, message) = match failure {
            Failure::Unavailable(message) => (RefusalKind::Unavailable, message),
            Failure::Malformed(message) => (RefusalKind::Malformed, message),
            Failure::UnknownMethod => (RefusalKind::UnknownMethod, String::new()),
            Failure::Internal(message) => (RefusalKind::Internal, message),
        };
        Self { kind, message }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        if error.is_unavailable() {
            Self::Unavailable("the database can't be reached".to_owned())
        } else {
            tracing::error!(%error, "the database refused a statement");
            Self::Internal("the database refused a statement".to_owned())
        }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        if error.is_unavailable() {
            Self::Unavailable(error.to_string())
        } else {
            tracing::error!(%error, "another service refused a request");
            Self::Internal("another service refused a request".to_owned())
        }
    }
}
