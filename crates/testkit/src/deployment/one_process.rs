//! `carillon up`.

use std::sync::Arc;

use rustix::process::Signal;
use tokio::sync::OnceCell;

use super::{Deployment, Form, Gateway, Options, Tls, options::variable};
use crate::{
    http::{ADMIN, PASSWORD},
    process::{Ready, Spec, Supervisor, Tier, built},
};

/// Carillon as one process, its data in a private directory.
#[derive(Debug)]
pub struct OneProcess {
    deployment: Deployment,
}

impl OneProcess {
    /// The process's name.
    pub const NAME: &str = "carillon";

    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// If it isn't built, or doesn't become ready.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let supervisor = Arc::new(Supervisor::new()?);
        let port = match options.gateway_ports {
            Some([port, _]) => supervisor.port_exactly(port)?,
            None => supervisor.port()?,
        };
        let tls = options.tls.as_ref().map(|authority| Tls::of(authority, &supervisor)).transpose()?;
        let gateway = Gateway::over(tls, Self::NAME, port, &supervisor)?;
        supervisor.launch(spec(&gateway, &supervisor, &options)?)?;
        supervisor.ready(Self::NAME).await?;
        let deployment = Deployment {
            form: Form::OneProcess,
            gateways: [gateway.clone(), gateway],
            identity_provider: options.identity_provider,
            collector: options.collector,
            admin: OnceCell::new(),
            supervisor,
        };
        Ok(Self { deployment })
    }

    /// What it has in common with a cluster.
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.deployment.kill(Self::NAME)
    }

    /// Starts it again, on the same ports and data.
    ///
    /// # Errors
    /// If it still runs, or doesn't become ready.
    pub async fn start_again(&self) -> anyhow::Result<()> {
        self.deployment.start(Self::NAME).await
    }
}

fn spec(gateway: &Gateway, supervisor: &Supervisor, options: &Options) -> anyhow::Result<Spec> {
    let data = supervisor.directory().join("data").display().to_string();
    let (local, operations) = (address(&gateway.http), address(&gateway.operations));
    let mut environment = options.environment();
    let listen = if options.public { local.replace("127.0.0.1", "0.0.0.0") } else { local.to_owned() };
    let mut own = vec!["up", "--listen", &listen, "--ops-listen", operations, "--data-dir", &data];
    if options.public {
        own.extend(["--bootstrap-admin", ADMIN]);
        environment.push(variable("CARILLON_BOOTSTRAP_ADMIN_PASSWORD", PASSWORD));
    }
    let tls = gateway.tls_arguments();
    let more = options.gateway_arguments.iter().chain(&tls).map(String::as_str);
    let arguments = own.into_iter().chain(more);
    Ok(Spec {
        name: OneProcess::NAME.to_owned(),
        program: built("carillon")?,
        arguments: arguments.map(Into::into).collect(),
        environment,
        user: None,
        stop_signal: Signal::TERM,
        tier: Tier::Edge,
        ready: Ready::Http(format!("{}/readyz", gateway.operations)),
    })
}

/// `127.0.0.1:8000` of `http://127.0.0.1:8000`.
pub(super) fn address(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(_, address)| address)
}
