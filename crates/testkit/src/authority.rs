//! Certificates for tests, and whom to trust to believe them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Seconds of a day.
const DAY: u64 = 86_400;

/// An authority whose word a test's clients take, and nobody else.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// If there can be no key.
    pub fn new() -> anyhow::Result<Self> {
        let key = KeyPair::generate().context("an authority's key")?;
        let mut parameters = CertificateParams::new(Vec::new())?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        parameters.distinguished_name.push(DnType::CommonName, "an authority of the tests");
        let certificate = parameters.self_signed(&key)?;
        Ok(Self { certificate, issuer: Issuer::new(parameters, key) })
    }

    /// Its own certificate, which clients of other make read from a file.
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A new certificate for the loopback interface, and for this name, which ends in so many days.
    ///
    /// # Errors
    /// If there can be no key, or no certificate of that name.
    pub fn issue(&self, name: &str, days: u64) -> anyhow::Result<Issued> {
        let key = KeyPair::generate().context("a key")?;
        let mut parameters = CertificateParams::new(["127.0.0.1", "localhost", name].map(str::to_owned))?;
        // OpenSSL takes a certificate of its issuer's name for a self-signed one.
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.use_authority_key_identifier_extension = true;
        // A little more, so that so many whole days are left for as long as a test runs.
        parameters.not_after = (SystemTime::now() + Duration::from_secs(days * DAY + DAY / 2)).into();
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// What clients are configured with that trust it.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn trust(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let mut authorities = RootCertStore::empty();
        authorities.add(self.certificate.der().clone()).context("the authority")?;
        let client = ClientConfig::builder().with_root_certificates(authorities).with_no_client_auth();
        Ok(Arc::new(client))
    }
}

impl Issued {
    /// Writes both into files of a directory, as a secret of Kubernetes has them: where they are.
    ///
    /// # Errors
    /// If it can't be written to.
    pub fn write(&self, directory: &Path) -> anyhow::Result<[PathBuf; 2]> {
        let files = [directory.join("tls.crt"), directory.join("tls.key")];
        fs::write(&files[0], &self.certificate).context("a certificate")?;
        fs::write(&files[1], &self.key).context("a key")?;
        Ok(files)
    }
}
