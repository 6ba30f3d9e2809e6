//! A certificate of an authority of its own, for the loopback interface.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, pki_types::CertificateDer};

/// Files of a certificate and its key, and whom to trust to believe it.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) file: PathBuf,
    pub(super) key: PathBuf,
    authority: CertificateDer<'static>,
}

impl Certificate {
    /// Makes one, in files of this directory.
    pub(super) fn create(directory: &Path) -> anyhow::Result<Self> {
        let authority_key = KeyPair::generate().context("an authority's key")?;
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&authority_key)?.der().clone();
        let issuer = Issuer::new(parameters, authority_key);
        let key = KeyPair::generate().context("a key")?;
        let names = ["localhost", "127.0.0.1"].map(str::to_owned);
        let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
        let files = [directory.join("tls.crt"), directory.join("tls.key")];
        fs::write(&files[0], certificate.pem())?;
        fs::write(&files[1], key.serialize_pem())?;
        let [file, key_file] = files;
        Ok(Self { file, key: key_file, authority })
    }

    /// A client that believes this authority, and no other.
    pub(super) fn trust(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let mut authorities = RootCertStore::empty();
        authorities.add(self.authority.clone()).context("the authority")?;
        let client = ClientConfig::builder().with_root_certificates(authorities).with_no_client_auth();
        Ok(Arc::new(client))
    }
}
