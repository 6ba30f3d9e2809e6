//! What can go wrong on the bus.

use crate::{Refusal, RefusalKind};

/// Why there is no bus.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// An address, or the name of the service, that cannot be used.
    #[error("invalid bus configuration: {0}")]
    Invalid(String),
    /// The credentials cannot be read.
    #[error("cannot read the credentials for the bus: {0}")]
    Credentials(std::io::Error),
}

/// Why a message was not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The bus is not connected at the moment.
    #[error("the bus is not connected")]
    Disconnected,
    /// The payload is larger than the bus carries.
    #[error("the payload is larger than the bus carries")]
    TooLarge,
}

/// Why there is no subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    /// The bus was not connected, or did not confirm in time.
    #[error("the bus did not confirm the subscription")]
    Unavailable,
}

/// Why a request has no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No reply within the deadline, twice. The request may have been carried out all the same.
    #[error("no reply in time")]
    TimedOut,
    /// No replica of the service is there.
    #[error("nobody answers such requests")]
    NoResponders,
    /// The bus is not connected. A request that was under way may have been carried out.
    #[error("the bus is not connected")]
    Disconnected,
    /// The payload is larger than the bus carries.
    #[error("the payload is larger than the bus carries")]
    TooLarge,
    /// The service answered that it won't.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The reply cannot be decoded.
    #[error("the reply cannot be decoded")]
    Malformed,
}

impl RequestError {
    /// Whether the same request may succeed later.
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::TimedOut | Self::NoResponders | Self::Disconnected => true,
            Self::Refused(refusal) => refusal.kind == RefusalKind::Unavailable,
            Self::TooLarge | Self::Malformed => false,
        }
    }
}

impl From<PublishError> for RequestError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Disconnected => Self::Disconnected,
            PublishError::TooLarge => Self::TooLarge,
        }
    }
}
