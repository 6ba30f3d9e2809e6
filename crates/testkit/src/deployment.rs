//! Running Carillon: as one process, and as a cluster.

mod cluster;
mod one_process;
mod options;
mod tls;

use std::{
    path::Path,
    process::ExitStatus,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::Context;
use tokio::sync::OnceCell;

pub use cluster::Cluster;
pub use one_process::OneProcess;
pub use options::{JWT_SECRET, Options, Processes};
use tls::Tls;

use crate::{
    collector::Collector,
    http::{Admin, Api, PASSWORD, Project, User, log_in},
    process::{Marks, Supervisor},
    tokens::IdentityProvider,
    unique,
    websocket::Handshake,
};

/// In which of its two forms a deployment runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `carillon up`.
    OneProcess,
    /// A process for each replica of each service.
    Cluster,
}

/// Where one gateway is reached.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// Its name as a process.
    pub name: String,
    /// `http://127.0.0.1:8000`
    pub http: String,
    /// `ws://127.0.0.1:8000`
    pub websocket: String,
    /// Base of `/healthz`, `/readyz` and `/metrics`.
    pub operations: String,
    client: reqwest::Client,
    tls: Option<Tls>,
}

impl Gateway {
    /// One that speaks no TLS.
    pub(crate) fn new(name: &str, port: u16, supervisor: &Supervisor) -> anyhow::Result<Self> {
        Self::over(None, name, port, supervisor)
    }

    fn over(tls: Option<Tls>, name: &str, port: u16, supervisor: &Supervisor) -> anyhow::Result<Self> {
        let (http, websocket) = if tls.is_some() { ("https", "wss") } else { ("http", "ws") };
        Ok(Self {
            name: name.to_owned(),
            http: format!("{http}://127.0.0.1:{port}"),
            websocket: format!("{websocket}://127.0.0.1:{port}"),
            operations: format!("http://127.0.0.1:{}", supervisor.port()?),
            client: tls.as_ref().map_or_else(|| supervisor.http(), |tls| &tls.client).clone(),
            tls,
        })
    }

    /// A handshake with the endpoint at `path`.
    ///
    /// # Errors
    /// If `path` makes no URL.
    pub fn socket(&self, path: &str) -> anyhow::Result<Handshake> {
        let trust = self.tls.as_ref().map(|tls| Arc::clone(&tls.trust));
        Ok(Handshake::new(&self.websocket, path)?.trusting(trust))
    }

    /// The options with which it speaks TLS, if it does.
    fn tls_arguments(&self) -> Vec<String> {
        self.tls.as_ref().map(Tls::arguments).unwrap_or_default()
    }

    /// The file with whom to trust, if it speaks TLS, for clients of other make.
    pub fn authority(&self) -> Option<&Path> {
        self.tls.as_ref().map(|tls| &*tls.authority)
    }

    /// The directory of its certificate and key (`tls.crt` and `tls.key`), if it speaks TLS.
    pub fn certificate_directory(&self) -> Option<&Path> {
        self.tls.as_ref().map(|tls| &*tls.directory)
    }

    /// HTTP requests without a token.
    pub fn api(&self) -> Api {
        Api::new(self.client.clone(), &self.http)
    }
}

/// A running Carillon, in either form.
#[derive(Debug)]
pub struct Deployment {
    form: Form,
    gateways: [Gateway; 2],
    identity_provider: Option<IdentityProvider>,
    collector: Option<Collector>,
    admin: OnceCell<Admin>,
    pub(crate) supervisor: Arc<Supervisor>,
}

impl Deployment {
    /// In which form it runs.
    pub fn form(&self) -> Form {
        self.form
    }

    /// Its first two gateways. One process is both.
    pub fn gateways(&self) -> &[Gateway; 2] {
        &self.gateways
    }

    /// The OpenID provider that it trusts, if it was given one.
    ///
    /// # Errors
    /// If it was given none.
    pub fn identity_provider(&self) -> anyhow::Result<&IdentityProvider> {
        self.identity_provider.as_ref().context("this deployment trusts no identity provider")
    }

    /// The collector that it sends spans to, if it was given one.
    ///
    /// # Errors
    /// If it was given none.
    pub fn collector(&self) -> anyhow::Result<&Collector> {
        self.collector.as_ref().context("this deployment has no collector")
    }

    /// A handshake with the first gateway.
    ///
    /// # Errors
    /// If `path` makes no URL.
    pub fn socket(&self, path: &str) -> anyhow::Result<Handshake> {
        self.gateways[0].socket(path)
    }

    /// HTTP requests to the second gateway: what is sent through one reaches the clients of another.
    pub fn api(&self) -> Api {
        self.gateways[1].api()
    }

    /// The admin, logged in once.
    ///
    /// # Errors
    /// If that is refused.
    pub async fn admin(&self) -> anyhow::Result<&Admin> {
        self.admin.get_or_try_init(|| async { Admin::log_in(&self.api()).await }).await
    }

    /// A new user, whom no other test knows.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn user(&self, prefix: &str) -> anyhow::Result<User> {
        let username = unique(prefix);
        self.admin().await?.create_user(&username).await.context("creating a user")?;
        log_in(&self.api(), &username, PASSWORD).await
    }

    /// A new organisation with these members; its id.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn org(&self, members: &[&User]) -> anyhow::Result<String> {
        let (org, admin) = (unique("org"), self.admin().await?);
        admin.create_org(&org).await?;
        for member in members {
            admin.add_org_member(&org, &member.id).await?;
        }
        Ok(org)
    }

    /// A new project with these members, and a key that no other test uses.
    ///
    /// # Errors
    /// If the gateway refuses.
    pub async fn project(&self, members: &[&User]) -> anyhow::Result<Project> {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let admin = self.admin().await?;
        let project = admin.new_project(&format!("T{}", NEXT.fetch_add(1, Ordering::Relaxed))).await?;
        for member in members {
            admin.add_project_member(&project.id, &member.id).await?;
        }
        Ok(project)
    }

    /// The processes' names.
    pub fn processes(&self) -> Vec<String> {
        self.supervisor.names()
    }

    /// The processes themselves.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// SIGKILL. Returns once the process is gone.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn kill(&self, process: &str) -> anyhow::Result<()> {
        self.supervisor.kill(process)
    }

    /// SIGTERM, and waits until the process is gone.
    ///
    /// # Errors
    /// If it doesn't stop in time.
    pub async fn stop(&self, process: &str) -> anyhow::Result<ExitStatus> {
        self.supervisor.stop(process).await
    }

    /// Starts a killed or stopped process again, on its ports and data, and waits until it is ready.
    ///
    /// # Errors
    /// If it still runs, or doesn't become ready.
    pub async fn start(&self, process: &str) -> anyhow::Result<()> {
        self.supervisor.start(process).await
    }

    /// This moment in every log.
    pub fn marks(&self) -> Marks {
        self.supervisor.marks()
    }

    /// The end of what each process has logged since `marks`.
    pub fn tails(&self, marks: &Marks) -> String {
        self.supervisor.tails(marks)
    }
}
