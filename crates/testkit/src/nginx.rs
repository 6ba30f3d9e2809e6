//! A private nginx, with the very files of `deploy/nginx`.

mod certificate;
mod configuration;

use std::{ffi::OsString, fs, net::Ipv4Addr, path::PathBuf, sync::Arc};

use anyhow::Context;
use rustix::process::Signal;

use crate::{
    Deployment, Gateway,
    process::{Ready, Spec, Supervisor, Tier, installed},
    tunnel::Tunnel,
};
use certificate::Certificate;
use configuration::{Places, write};

/// Its name as a process.
const NAME: &str = "nginx";

/// It stays in the foreground, and is one process: nothing of it outlives the tests.
const FOREGROUND: &str = "daemon off; master_process off;";

/// It may have more descriptors than shells give: in one process it doesn't take `worker_rlimit_nofile`.
const DESCRIPTORS: &str = "--nofile=4096:";

/// A real nginx in front of a cluster's two gateways, with and without TLS.
#[derive(Debug)]
pub struct Nginx {
    plain: Gateway,
    redirecting: Gateway,
    secure: u16,
    certificate: Certificate,
    logs: PathBuf,
    supervisor: Arc<Supervisor>,
}

impl Nginx {
    /// Starts one among the processes of a deployment, and waits until it listens.
    ///
    /// # Errors
    /// If nginx isn't installed, or refuses its configuration.
    pub async fn start(deployment: &Deployment) -> anyhow::Result<Self> {
        let supervisor = deployment.supervisor.clone();
        let directory = supervisor.directory().join(NAME);
        let logs = directory.join("logs");
        fs::create_dir_all(&logs).context("a directory for nginx")?;
        let certificate = Certificate::create(&directory)?;
        let (plain, redirecting, secure) = (supervisor.port()?, supervisor.port()?, supervisor.port()?);
        let addresses = deployment.gateways().each_ref().map(|gateway| gateway.http.replace("http://", ""));
        let places = Places {
            directory: &directory,
            logs: &logs,
            certificate: &certificate,
            gateways: &addresses,
            plain,
            redirecting,
            secure,
        };
        let file = write(&places).context("the configuration of nginx")?;
        supervisor.launch(Spec {
            name: NAME.to_owned(),
            program: installed("prlimit", "util-linux")?,
            arguments: vec![
                OsString::from(DESCRIPTORS),
                installed("nginx", "nginx-light")?.into(),
                "-p".into(),
                directory.into(),
                "-c".into(),
                file.into(),
                "-g".into(),
                FOREGROUND.into(),
            ],
            environment: Vec::new(),
            user: None,
            stop_signal: Signal::TERM,
            tier: Tier::Edge,
            ready: Ready::Listens(plain),
        })?;
        supervisor.ready(NAME).await?;
        Ok(Self {
            plain: Gateway::new(NAME, plain, &supervisor)?,
            redirecting: Gateway::new(NAME, redirecting, &supervisor)?,
            secure,
            certificate,
            logs,
            supervisor,
        })
    }

    /// Its site without TLS, as if it were a gateway.
    pub fn plain(&self) -> &Gateway {
        &self.plain
    }

    /// Its site that sends everyone to the one with TLS.
    pub fn redirecting(&self) -> &Gateway {
        &self.redirecting
    }

    /// A client's way to its site without TLS, from an address of the loopback network.
    ///
    /// # Errors
    /// If there is no socket for it.
    pub async fn plain_from(&self, address: Ipv4Addr) -> anyhow::Result<Tunnel> {
        let port = self.plain.http.rsplit(':').next().context("no port")?.parse()?;
        Tunnel::open(address, port, None, &self.supervisor).await
    }

    /// A client's way to its site with TLS, whose certificate is verified, from an address of the loopback network.
    ///
    /// # Errors
    /// If there is no socket for it.
    pub async fn secure_from(&self, address: Ipv4Addr) -> anyhow::Result<Tunnel> {
        Tunnel::open(address, self.secure, Some(self.certificate.trust()?), &self.supervisor).await
    }

    /// Everything that it has logged so far: who came, and what failed.
    ///
    /// # Errors
    /// If its logs can't be read.
    pub fn logged(&self) -> anyhow::Result<String> {
        let mut text = self.supervisor.output(NAME)?;
        for entry in fs::read_dir(&self.logs)? {
            text.push_str(&fs::read_to_string(entry?.path())?);
        }
        Ok(text)
    }
}
