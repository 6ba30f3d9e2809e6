//! Why a handshake is refused, as the client, the log and the metrics are told.

use carillon_contract::CloseCodes;
use carillon_service::http::Problem;

use crate::{
    authenticator::Denied,
    limits::Over,
    websocket::{Cause, CloseReason},
};

/// Why a handshake is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Not a WebSocket handshake (RFC 6455, section 4.2.1).
    #[error("not a WebSocket handshake: {0}")]
    Handshake(String),
    /// Another version of the protocol than the one that there is.
    #[error("WebSocket version 13 is required")]
    Version,
    /// A `Host` that isn't allowed.
    #[error("host not allowed")]
    Host,
    /// An `Origin` that isn't allowed.
    #[error("origin not allowed")]
    Origin,
    /// The address or the user has too much of something.
    #[error("{}", .0.limit.reason())]
    Over(Over),
    /// Nobody at the address may come in.
    #[error("blocked")]
    Blocked(CloseCodes),
    /// The gateway drains, or can't tell whether tokens are revoked.
    #[error("not ready")]
    NotReady,
    /// The query names a dialect that there isn't.
    #[error("unknown dialect")]
    Dialect,
    /// A part of the path can't be a channel's name.
    #[error("the path can't be used")]
    Path,
    /// A token is needed.
    #[error("token missing")]
    Missing(CloseCodes),
    /// The token doesn't let anyone in.
    #[error("{1}")]
    Denied(CloseCodes, Denied),
    /// A service token stands for no user.
    #[error("not a user's token")]
    NotAUser(CloseCodes),
    /// Someone else's endpoint.
    #[error("user mismatch")]
    Mismatch(CloseCodes),
}

impl Refusal {
    /// The label in metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Handshake(_) | Self::Version => "bad_handshake",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Over(over) => over.limit.as_str(),
            Self::Blocked(_) => "blocked_address",
            Self::Denied(_, Denied::Blocked) => "blocked_user",
            Self::NotReady => "not_ready",
            Self::Dialect => "dialect",
            Self::Path => "path",
            Self::Missing(_) => "missing_token",
            Self::Denied(_, Denied::Expired) => "expired_token",
            Self::Denied(_, Denied::Invalid(_)) => "invalid_token",
            Self::Denied(_, Denied::Revoked) => "revoked_token",
            Self::Denied(_, Denied::Unavailable) => "keys_unavailable",
            Self::NotAUser(_) => "not_a_user",
            Self::Mismatch(_) => "mismatch",
        }
    }

    /// The code with which an accepted connection is closed; `None` for what is refused before that.
    pub(super) fn close_reason(&self) -> Option<CloseReason> {
        let code = match self {
            Self::Over(over) => return Some(CloseReason::over_limit(over.limit.reason())),
            Self::Handshake(_)
            | Self::Version
            | Self::Host
            | Self::Origin
            | Self::Dialect
            | Self::NotReady => return None,
            Self::Path => 4004,
            Self::Blocked(codes) | Self::Denied(codes, Denied::Blocked) => codes.denied,
            Self::Missing(codes) => codes.missing,
            Self::Denied(codes, Denied::Expired) => codes.expired,
            Self::Denied(codes, Denied::Invalid(_) | Denied::Revoked) => codes.invalid,
            Self::Denied(_, Denied::Unavailable) => CloseReason::UNAVAILABLE.code,
            Self::NotAUser(codes) => codes.denied,
            Self::Mismatch(codes) => codes.mismatch,
        };
        Some(CloseReason::new(self.cause(), code, self.to_string()))
    }

    fn cause(&self) -> Cause {
        match self {
            Self::Over(_) => Cause::Limit,
            Self::Blocked(_) => Cause::Blocked,
            Self::Denied(_, denied) => denied.cause(),
            Self::NotReady => Cause::Unavailable,
            Self::Missing(_) => Cause::Token,
            Self::Handshake(_) | Self::Version | Self::Dialect => Cause::Protocol,
            Self::Host | Self::Origin | Self::Path | Self::NotAUser(_) | Self::Mismatch(_) => Cause::Access,
        }
    }

    /// The limit or block that was met, as metrics call it.
    pub(super) fn limit(&self) -> Option<&'static str> {
        let is_one = matches!(self, Self::Over(_) | Self::Blocked(_) | Self::Denied(_, Denied::Blocked));
        is_one.then(|| self.label())
    }

    /// In how many milliseconds trying again may help, where that is known.
    pub(super) fn come_back(&self) -> Option<u64> {
        match self {
            Self::Over(over) => Some(over.after_milliseconds),
            _ => None,
        }
    }

    /// The HTTP response in place of an upgrade (S3-08).
    pub(super) fn problem(&self) -> Problem {
        let detail = self.to_string();
        match self {
            Self::Over(over) => {
                let seconds = u32::try_from(over.after_milliseconds.div_ceil(1_000)).unwrap_or(u32::MAX);
                Problem::too_many_requests(seconds, &detail)
            }
            Self::Version => Problem::upgrade_required("sec-websocket-version", "13", &detail),
            Self::Handshake(_) | Self::Host | Self::Dialect => Problem::bad_request(&detail),
            Self::NotReady | Self::Denied(_, Denied::Unavailable) => Problem::unavailable(&detail),
            Self::Path => Problem::not_found(&detail),
            Self::Origin
            | Self::Blocked(_)
            | Self::Missing(_)
            | Self::Denied(..)
            | Self::NotAUser(_)
            | Self::Mismatch(_) => Problem::forbidden(&detail),
        }
    }
}
