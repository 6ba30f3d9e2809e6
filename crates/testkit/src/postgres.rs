//! A private Postgres.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Context, ensure};
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::process::{Ready, Spec, Supervisor, Tier, command, installed};

/// Its name as a process.
pub(crate) const NAME: &str = "postgres";

/// The superuser of the database cluster, and as whom its server runs when we are root: it refuses to run as that.
const USER: &str = "postgres";

/// Debian's package of the server.
const PACKAGE: &str = "postgresql";

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It does, as in production.
    Disk,
    /// It doesn't. What is committed still outlives a SIGKILL of the server, though not of the machine:
    /// enough for tests, which then don't wait for a disk that others keep busy.
    Process,
}

/// A real Postgres server on a free port of the loopback interface, its data in a private directory.
#[derive(Debug, Clone)]
pub struct Postgres {
    supervisor: Arc<Supervisor>,
    port: u16,
}

impl Postgres {
    /// Starts one of its own, which is stopped with this value.
    ///
    /// # Errors
    /// If Postgres isn't installed, or doesn't start.
    pub async fn start(durability: Durability) -> anyhow::Result<Self> {
        Self::start_in(&Arc::new(Supervisor::new()?), durability).await
    }

    /// Starts one among the processes of `supervisor`.
    pub(crate) async fn start_in(
        supervisor: &Arc<Supervisor>,
        durability: Durability,
    ) -> anyhow::Result<Self> {
        let program = installed("postgres", PACKAGE)?;
        let user = geteuid().is_root().then_some(USER);
        let directory = tokio::task::spawn_blocking(move || initialise(user)).await??;
        let port = supervisor.port()?;
        let data = data_in(&directory);
        supervisor.keep(directory);
        supervisor.launch(Spec {
            name: NAME.to_owned(),
            program,
            arguments: arguments(&data, port, durability),
            environment: vec![("LC_ALL".to_owned(), "C".to_owned())],
            user,
            stop_signal: Signal::INT,
            tier: Tier::Backing,
            ready: Ready::Postgres(data),
        })?;
        supervisor.ready(NAME).await?;
        Ok(Self { supervisor: Arc::clone(supervisor), port })
    }

    /// The URL of its database, also after it was started again.
    pub fn url(&self) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/postgres", self.port)
    }

    /// SIGKILL of the server.
    ///
    /// # Errors
    /// None that a test could act on.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.supervisor.kill(NAME)
    }

    /// Starts it again, on the same port and data.
    ///
    /// # Errors
    /// If it still runs, or doesn't start.
    pub async fn start_again(&self) -> anyhow::Result<()> {
        self.supervisor.start(NAME).await
    }

    /// Runs a statement, as an operator does.
    ///
    /// # Errors
    /// If that fails.
    pub fn execute(&self, statement: &str) -> anyhow::Result<()> {
        let mut psql = Command::new(installed("psql", PACKAGE)?);
        psql.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]);
        run(psql.arg(format!("--dbname={}", self.url())).args(["--command", statement]))
    }

    /// Backs its database up into a file, as `docs/backup.md` has it.
    ///
    /// # Errors
    /// If that fails.
    pub fn dump(&self, file: &Path) -> anyhow::Result<()> {
        let mut dump = Command::new(installed("pg_dump", PACKAGE)?);
        run(dump.arg("--format=custom").arg(format!("--dbname={}", self.url())).arg("--file").arg(file))
    }

    /// Brings its database back out of that file, or of it one schema, which must be there.
    ///
    /// # Errors
    /// If that fails.
    pub fn restore(&self, file: &Path, schema: Option<&str>) -> anyhow::Result<()> {
        let mut restore = Command::new(installed("pg_restore", PACKAGE)?);
        restore.args(["--clean", "--if-exists", "--single-transaction"]);
        restore.args(schema.map(|schema| format!("--schema={schema}")));
        run(restore.arg(format!("--dbname={}", self.url())).arg(file))
    }
}

fn data_in(directory: &TempDir) -> PathBuf {
    directory.path().join("data")
}

/// A directory with an empty database cluster, which belongs to `user`.
fn initialise(user: Option<&'static str>) -> anyhow::Result<TempDir> {
    let directory =
        tempfile::Builder::new().prefix("carillon-postgres-").tempdir().context("a data directory")?;
    if let Some(user) = user {
        run(Command::new("chown").arg(format!("{user}:")).arg(directory.path()))?;
    }
    let mut initdb = command(&installed("initdb", PACKAGE)?, user)?;
    initdb.args(["--no-sync", "--no-locale", "--encoding=UTF8", "--auth=trust"]);
    initdb.arg(format!("--username={USER}")).arg("--pgdata").arg(data_in(&directory)).env("LC_ALL", "C");
    run(&mut initdb)?;
    Ok(directory)
}

fn arguments(data: &Path, port: u16, durability: Durability) -> Vec<OsString> {
    let fsync = if durability == Durability::Disk { "on" } else { "off" };
    let mut arguments: Vec<OsString> = vec!["-D".into(), data.into()];
    for setting in [
        format!("port={port}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "max_connections=500".to_owned(),
        format!("fsync={fsync}"),
    ] {
        arguments.extend(["-c".into(), setting.into()]);
    }
    arguments
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed ({})\n{said}", output.status);
    Ok(())
}
