//! What can go wrong with a blob, and with a grant.

use crate::MIN_SECRET;

/// Why the store did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is a blob of this key already. Blobs never change.
    #[error("there is a blob of this key already")]
    Exists,
    /// More bytes came than were announced.
    #[error("more than the {size} bytes that were announced")]
    TooLarge {
        /// How many were announced.
        size: u64,
    },
    /// Fewer bytes came than were announced.
    #[error("{written} of the {size} bytes that were announced")]
    TooShort {
        /// How many came.
        written: u64,
        /// How many were announced.
        size: u64,
    },
    /// The store can't be reached, or refused.
    #[error("the blob store: {0}")]
    Store(String),
}

impl From<object_store::Error> for BlobError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::AlreadyExists { .. } => Self::Exists,
            error => Self::Store(error.to_string()),
        }
    }
}

/// Why a grant gives no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Something is missing, there twice, or not what it must be.
    #[error("the address is incomplete")]
    Malformed,
    /// The signature is not ours, or something that it covers was changed.
    #[error("the signature is not valid")]
    Forged,
    /// Its time is over.
    #[error("the address has expired: ask for a new one")]
    Expired,
}

/// A secret that could be found by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret for blobs has {0} bytes: it needs at least {MIN_SECRET}")]
pub struct ShortSecret(pub(crate) usize);
