//! Makes addresses of grants, and grants of addresses.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{BlobSecret, Denied, Grant, MIN_SECRET, error::ShortSecret};

/// Signs and verifies with one secret (HMAC-SHA256).
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl Signer {
    /// A signer with this secret.
    ///
    /// # Errors
    /// A secret of fewer than [`MIN_SECRET`] bytes.
    pub fn new(secret: &BlobSecret) -> Result<Self, ShortSecret> {
        let bytes = secret.as_bytes();
        if bytes.len() < MIN_SECRET {
            return Err(ShortSecret(bytes.len()));
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| ShortSecret(bytes.len()))
    }

    /// The path and query that give this permission to whoever has them.
    pub fn sign(&self, grant: &Grant) -> String {
        grant.address(&URL_SAFE_NO_PAD.encode(self.mac(grant).finalize().into_bytes()))
    }

    /// The grant of an address, from what follows [`crate::PATH`] and its query, if it holds at `now`
    /// (in seconds since 1970).
    ///
    /// # Errors
    /// Anything but an address that was signed with this secret and has not expired.
    pub fn verify(&self, key: &str, query: &str, now: i64) -> Result<Grant, Denied> {
        let (grant, signature) = Grant::read(key, query)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Denied::Forged)?;
        // Compared in constant time.
        self.mac(&grant).verify_slice(&signature).map_err(|_| Denied::Forged)?;
        if grant.expires_at <= now { Err(Denied::Expired) } else { Ok(grant) }
    }

    fn mac(&self, grant: &Grant) -> Hmac<Sha256> {
        self.0.clone().chain_update(grant.canonical())
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Signer(…)")
    }
}
