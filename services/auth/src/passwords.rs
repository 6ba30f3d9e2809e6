//! Password hashes: argon2id, computed off the runtime and never more at a time than there are cores.

use std::{sync::Arc, thread::available_parallelism, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::random::random_id;

/// OWASP's recommendation for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The longest password, in bytes.
pub(crate) const MAX_LENGTH: usize = 1_024;

/// How long to wait for a free core: less than the gateway waits for an answer.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Hashes and verifies passwords.
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// What the password of an unknown user is compared with, so that the time taken tells nothing.
    dummy: String,
}

/// The right to compute one hash. As long as it lives, its memory is in use.
pub(crate) type HashPermit = OwnedSemaphorePermit;

/// Why a password could not be hashed or compared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Every core is hashing, and has been for a while.
    #[error("too many logins at once")]
    Busy,
    /// Argon2 refused.
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
    /// The task ended before it was done.
    #[error("hashing was interrupted")]
    Interrupted,
}

impl Passwords {
    /// # Errors
    /// Argon2 refuses, which it does for lack of memory or randomness only.
    pub(crate) async fn new() -> Result<Self, PasswordError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(argon2::password_hash::Error::from);
        let params = params.map_err(PasswordError::Hash)?;
        let cores = available_parallelism().map_or(2, usize::from);
        let mut passwords = Self {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            permits: Arc::new(Semaphore::new(cores)),
            dummy: String::new(),
        };
        passwords.dummy = passwords.hash(random_id()).await?;
        Ok(passwords)
    }

    /// Waits for a core, for a little while.
    pub(crate) async fn permit(&self) -> Result<HashPermit, PasswordError> {
        match tokio::time::timeout(PATIENCE, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(PasswordError::Interrupted),
            Err(_) => Err(PasswordError::Busy),
        }
    }

    /// The hash of a new password, with its parameters and salt.
    pub(crate) async fn hash(&self, password: String) -> Result<String, PasswordError> {
        let permit = self.permit().await?;
        let argon2 = self.argon2.clone();
        off_runtime(permit, move || {
            let hash: PasswordHash = argon2.hash_password(password.as_bytes())?;
            Ok(hash.to_string())
        })
        .await?
        .0
        .map_err(PasswordError::Hash)
    }

    /// Whether the password is the one that was hashed; never for an unknown user, and as slowly.
    /// Returns the permit, so that a caller can count the failure before the next one tries.
    pub(crate) async fn verify(
        &self,
        permit: HashPermit,
        password: String,
        hash: Option<&str>,
    ) -> Result<(bool, HashPermit), PasswordError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.dummy).to_owned();
        let argon2 = self.argon2.clone();
        let (outcome, permit) =
            off_runtime(permit, move || argon2.verify_password(password.as_bytes(), hash.as_str())).await?;
        match outcome {
            Ok(()) => Ok((known, permit)),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok((false, permit)),
            Err(error) => Err(PasswordError::Hash(error)),
        }
    }
}

/// Computes on a thread that may block. The permit goes along: if the caller is cancelled, the
/// memory is still in use until the computation ends.
async fn off_runtime<T: Send + 'static>(
    permit: HashPermit,
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<(T, HashPermit), PasswordError> {
    tokio::task::spawn_blocking(move || (compute(), permit)).await.map_err(|_| PasswordError::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn verify(passwords: &Passwords, password: &str, hash: Option<&str>) -> bool {
        let permit = passwords.permit().await.expect("a permit");
        passwords.verify(permit, password.to_owned(), hash).await.expect("an outcome").0
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_passes() {
        let passwords = Passwords::new().await.expect("argon2");
        let hash = passwords.hash("carillon".to_owned()).await.expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&passwords, "carillon", Some(&hash)).await);
        assert!(!verify(&passwords, "Carillon", Some(&hash)).await);
        assert!(!verify(&passwords, "carillon", None).await);
    }
}
