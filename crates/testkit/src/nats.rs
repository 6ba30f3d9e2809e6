//! A private NATS server.

use std::{fmt::Write as _, fs, sync::Arc};

use anyhow::Context;
use carillon_contract::Program;
use rustix::process::Signal;

use crate::process::{Ready, Spec, Supervisor, Tier, installed};

/// Its name as a process.
pub(crate) const NAME: &str = "nats";

/// How Carillon's NATS servers are configured: with the largest message that they are to carry.
const SETTINGS: &str = "max_payload: 8MB";

/// What each program of Carillon may do, as it is deployed.
const PERMISSIONS: &str = include_str!("../../../deploy/nats/permissions.conf");

/// A real nats-server on a free port of the loopback interface.
#[derive(Debug, Clone)]
pub struct Nats {
    supervisor: Arc<Supervisor>,
    port: u16,
}

impl Nats {
    /// Starts one of its own, which is stopped with this value.
    ///
    /// # Errors
    /// If nats-server isn't installed, or doesn't start.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(SETTINGS).await
    }

    /// Starts one of its own that is configured in another way than Carillon's are: by these lines.
    ///
    /// # Errors
    /// If nats-server isn't installed, or doesn't start.
    pub async fn start_with(settings: &str) -> anyhow::Result<Self> {
        Self::launch(&Arc::new(Supervisor::new()?), settings).await
    }

    /// Starts one among the processes of `supervisor`, where each program of Carillon has a user with its name as its
    /// password, who may do what `deploy/nats/permissions.conf` says. Who doesn't log in may do everything: tests.
    pub(crate) async fn start_in(supervisor: &Arc<Supervisor>) -> anyhow::Result<Self> {
        let file = supervisor.directory().join("permissions.conf");
        fs::write(file, PERMISSIONS).context("the permissions of nats-server")?;
        Self::launch(supervisor, &format!("{SETTINGS}\n{}", accounts())).await
    }

    async fn launch(supervisor: &Arc<Supervisor>, settings: &str) -> anyhow::Result<Self> {
        let program = installed("nats-server", "nats-server")?;
        let port = supervisor.port()?;
        let file = supervisor.directory().join("nats.conf");
        let text = format!("listen: \"127.0.0.1:{port}\"\n{settings}\n");
        fs::write(&file, text).context("the configuration of nats-server")?;
        supervisor.launch(Spec {
            name: NAME.to_owned(),
            program,
            arguments: vec!["--config".into(), file.into()],
            environment: Vec::new(),
            user: None,
            // It stops on SIGTERM too, but says then that it failed.
            stop_signal: Signal::INT,
            tier: Tier::Backing,
            ready: Ready::Nats(port),
        })?;
        supervisor.ready(NAME).await?;
        Ok(Self { supervisor: Arc::clone(supervisor), port })
    }

    /// Its address, also after it was started again.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn id(&self) -> anyhow::Result<u32> {
        self.supervisor.id(NAME)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.supervisor.kill(NAME)
    }

    /// Starts it again, on the same port.
    ///
    /// # Errors
    /// If it still runs, or doesn't start.
    pub async fn start_again(&self) -> anyhow::Result<()> {
        self.supervisor.start(NAME).await
    }
}

fn accounts() -> String {
    let mut text =
        "include permissions.conf\nno_auth_user: tests\naccounts { CARILLON { users = [\n".to_owned();
    for program in Program::ALL {
        let permissions = program.as_str().replace('-', "_");
        let _ = writeln!(
            text,
            "{{ user: \"{program}\", password: \"{program}\", permissions: ${permissions}_permissions }}"
        );
    }
    text.push_str("{ user: tests, password: tests }\n] } }\n");
    text
}
