//! Gateways that speak TLS.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Context;
use tokio_rustls::rustls::ClientConfig;

use crate::{authority::Authority, process::Supervisor};

/// How long their certificates are valid, in days.
const DAYS: u64 = 30;

/// With what a deployment's gateways speak TLS, and its clients.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    /// Where certificate and key are.
    pub(super) directory: PathBuf,
    /// The certificate of whoever issued it.
    pub(super) authority: PathBuf,
    pub(super) trust: Arc<ClientConfig>,
    /// HTTP, with that trust.
    pub(super) client: reqwest::Client,
}

impl Tls {
    /// A certificate of this authority, in files of the deployment.
    pub(super) fn of(authority: &Authority, supervisor: &Supervisor) -> anyhow::Result<Self> {
        let directory = supervisor.directory().join("tls");
        fs::create_dir(&directory).context("a directory for certificates")?;
        authority.issue("gateway.test", DAYS)?.write(&directory)?;
        let file = directory.join("ca.crt");
        fs::write(&file, authority.pem())?;
        let root = reqwest::Certificate::from_pem(authority.pem().as_bytes())?;
        let client = Supervisor::client().tls_certs_only([root]).build().context("an HTTP client")?;
        Ok(Self { directory, authority: file, trust: authority.trust()?, client })
    }

    /// As options of a gateway.
    pub(super) fn arguments(&self) -> Vec<String> {
        let file = |name: &str| self.directory.join(name).display().to_string();
        vec!["--tls-certificate".to_owned(), file("tls.crt"), "--tls-key".to_owned(), file("tls.key")]
    }
}
