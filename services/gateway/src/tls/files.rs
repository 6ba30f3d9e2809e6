//! The files of a certificate and its key.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::Certificate;

/// Where a certificate and its key are.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What the files hold.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Files {
    /// What they hold now.
    ///
    /// # Errors
    /// One that isn't there, or can't be read.
    pub(super) fn read(&self) -> anyhow::Result<Contents> {
        Ok(Contents {
            certificate: read(&self.certificate, "--tls-certificate")?,
            key: read(&self.key, "--tls-key")?,
        })
    }

    /// The certificate that they hold.
    ///
    /// # Errors
    /// One that can't be read, holds nothing that is wanted, or a key of another certificate.
    pub(super) fn certificate(&self, contents: &Contents) -> anyhow::Result<Certificate> {
        let in_certificate = || format!("{} (--tls-certificate)", self.certificate.display());
        let in_key = || format!("{} (--tls-key)", self.key.display());
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&contents.certificate).collect();
        let chain = chain.with_context(in_certificate)?;
        ensure!(!chain.is_empty(), "{}: there is no certificate in PEM", in_certificate());
        let key = PrivateKeyDer::from_pem_slice(&contents.key)
            .with_context(|| format!("{}: there is no private key in PEM, without a password", in_key()))?;
        Certificate::new(chain, key)
            .with_context(|| format!("{} and {} don't make a pair", in_certificate(), in_key()))
    }
}

fn read(path: &Path, option: &str) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {} ({option})", path.display()))
}
