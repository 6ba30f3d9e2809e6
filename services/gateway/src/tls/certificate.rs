//! A certificate, with its key.

use std::sync::Arc;

use anyhow::Context;
use tokio_rustls::rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::CertifiedKey,
};

use super::valid_until;

/// A certificate that TLS can be spoken with.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub(super) key: Arc<CertifiedKey>,
    valid_until: i64,
}

impl Certificate {
    /// The certificate of a chain, the server's own first.
    ///
    /// # Errors
    /// What is no certificate, a key of a kind that isn't known, or one of another certificate.
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> anyhow::Result<Self> {
        let own = chain.first().context("there is no certificate")?;
        let valid_until = valid_until(own).context("the certificate can't be read")?;
        let key = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
            .context("the server's own certificate comes first, and the key is that one's")?;
        Ok(Self { key: Arc::new(key), valid_until })
    }

    /// Until when it is valid, in seconds since 1970.
    pub fn valid_until(&self) -> i64 {
        self.valid_until
    }
}
