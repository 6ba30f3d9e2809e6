//! From a token to who holds it, if they may still come in.

use std::{net::IpAddr, sync::Arc};

use carillon_contract::messages::Identity;
use carillon_token::{Verifier, VerifyError};

use crate::{access::Access, websocket::Cause};

/// Verifies tokens, and knows which of them are revoked.
#[derive(Clone)]
pub(crate) struct Authenticator {
    verifier: Verifier,
    access: Arc<Access>,
}

/// Why a token lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    /// It was valid once.
    #[error("token expired")]
    Expired,
    /// It is not valid.
    #[error("invalid token: {0}")]
    Invalid(&'static str),
    /// It has been revoked.
    #[error("token revoked")]
    Revoked,
    /// Its holder is blocked.
    #[error("blocked")]
    Blocked,
    /// Whether it is valid can't be told now.
    #[error("tokens can't be verified now")]
    Unavailable,
}

impl Denied {
    /// What kind of reason it is to end a connection.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Self::Expired => Cause::Expired,
            Self::Invalid(_) => Cause::Token,
            Self::Revoked => Cause::Revoked,
            Self::Blocked => Cause::Blocked,
            Self::Unavailable => Cause::Unavailable,
        }
    }
}

impl Authenticator {
    pub(crate) fn new(verifier: Verifier, access: Arc<Access>) -> Self {
        Self { verifier, access }
    }

    /// Whether anyone can be let in at present.
    pub(crate) fn is_current(&self) -> bool {
        self.access.is_current()
    }

    /// Whether nobody at this address may come in.
    pub(crate) fn is_blocked_at(&self, address: IpAddr) -> bool {
        self.access.is_blocked_at(address)
    }

    /// Who holds this token.
    pub(crate) async fn identify(&self, token: &str) -> Result<Identity, Denied> {
        let identity = self.verifier.verify(token).await.map_err(|error| match error {
            VerifyError::Expired => Denied::Expired,
            VerifyError::Invalid(reason) => Denied::Invalid(reason),
            VerifyError::KeysUnavailable => Denied::Unavailable,
        })?;
        self.check(&identity)?;
        Ok(identity)
    }

    /// Whether someone identified before may (still) come in.
    pub(crate) fn check(&self, identity: &Identity) -> Result<(), Denied> {
        if !self.access.is_current() {
            return Err(Denied::Unavailable);
        }
        if self.access.is_blocked(&identity.user) {
            return Err(Denied::Blocked);
        }
        if self.access.is_revoked(identity) { Err(Denied::Revoked) } else { Ok(()) }
    }
}
