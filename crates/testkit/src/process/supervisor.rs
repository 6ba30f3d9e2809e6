//! The processes of one deployment, by name.

use std::{
    collections::BTreeMap,
    process::ExitStatus,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;

use super::{
    child::{Process, Spec, Tier},
    port::Port,
};

/// The longest that anything may take to become ready, on a machine that compiles meanwhile.
const START_DEADLINE: Duration = Duration::from_secs(90);

/// For how long a process that exits at once, where that can pass, is started again and again.
const RESTART_DEADLINE: Duration = Duration::from_secs(15);

/// The longest that a process may take to stop when asked to.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// How long an HTTP connection is kept for a next request: a gateway that stops waits for those that are kept.
const IDLE: Duration = Duration::from_millis(500);

/// How often a condition is looked at again while it is waited for.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// Set this variable, to anything, to keep the logs (and, of one process, its data).
pub(super) const KEEP: &str = "CARILLON_KEEP_LOGS";

/// Starts, kills, stops and restarts named processes; stops those that are left when it is dropped.
///
/// Their logs are in a private directory, which goes with it.
#[derive(Debug)]
pub struct Supervisor {
    pub(super) processes: Mutex<BTreeMap<String, Process>>,
    ports: Mutex<Vec<Port>>,
    directories: Mutex<Vec<TempDir>>,
    directory: TempDir,
    http: reqwest::Client,
}

impl Supervisor {
    /// One without processes.
    ///
    /// # Errors
    /// If there can be no temporary directory.
    pub fn new() -> anyhow::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("carillon-")
            .disable_cleanup(std::env::var_os(KEEP).is_some())
            .tempdir()
            .context("a directory for logs")?;
        let http = Self::client().build().context("an HTTP client")?;
        Ok(Self {
            processes: Mutex::default(),
            ports: Mutex::default(),
            directories: Mutex::default(),
            directory,
            http,
        })
    }

    /// What makes HTTP clients of its processes.
    pub(crate) fn client() -> reqwest::ClientBuilder {
        reqwest::Client::builder().no_proxy().pool_idle_timeout(IDLE)
    }

    /// Where the logs are, and whatever else belongs to the deployment.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The HTTP client of its processes' clients.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// A port that stays reserved as long as this supervisor lives.
    pub(crate) fn port(&self) -> anyhow::Result<u16> {
        Ok(self.keep_port(Port::free()?))
    }

    /// This port, if it is free.
    pub(crate) fn port_exactly(&self, number: u16) -> anyhow::Result<u16> {
        let port = Port::exactly(number).with_context(|| format!("port {number} is taken"))?;
        Ok(self.keep_port(port))
    }

    fn keep_port(&self, port: Port) -> u16 {
        let number = port.number();
        lock(&self.ports).push(port);
        number
    }

    /// Keeps a directory until the processes are stopped.
    pub(crate) fn keep(&self, directory: TempDir) {
        lock(&self.directories).push(directory);
    }

    /// Starts a new process, without waiting until it is ready.
    pub(crate) fn launch(&self, spec: Spec) -> anyhow::Result<()> {
        let name = spec.name.clone();
        let mut processes = lock(&self.processes);
        ensure!(!processes.contains_key(&name), "there is a process {name} already");
        processes.insert(name, Process::start(spec, self.directory.path())?);
        Ok(())
    }

    /// Every process by name.
    pub fn names(&self) -> Vec<String> {
        lock(&self.processes).keys().cloned().collect()
    }

    /// The process id.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn id(&self, name: &str) -> anyhow::Result<u32> {
        self.with(name, |process| Ok(process.id()))
    }

    /// The base of its `/healthz`, `/readyz` and `/metrics`.
    ///
    /// # Errors
    /// If there is no such process, or it is none of Carillon's.
    pub fn operations(&self, name: &str) -> anyhow::Result<String> {
        self.with(name, |process| process.spec.ready.operations().context("it has no operations port"))
    }

    /// SIGKILL. Returns once the process is gone.
    ///
    /// # Errors
    /// If there is no such process.
    pub fn kill(&self, name: &str) -> anyhow::Result<()> {
        self.with(name, |process| Ok(process.kill()?))
    }

    /// SIGTERM (to Postgres and NATS SIGINT), and waits until the process is gone.
    ///
    /// # Errors
    /// If it doesn't stop in time.
    pub async fn stop(&self, name: &str) -> anyhow::Result<ExitStatus> {
        self.with(name, |process| Ok(process.ask_to_stop()?))?;
        let deadline = Instant::now() + STOP_DEADLINE;
        loop {
            if let Some(status) = self.with(name, |process| Ok(process.exited()?))? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("{name} did not stop within {STOP_DEADLINE:?}\n{}", self.tail(name));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Starts a killed or stopped process again, as it was started first, and waits until it is ready.
    ///
    /// # Errors
    /// If it still runs, or doesn't become ready.
    pub async fn start(&self, name: &str) -> anyhow::Result<()> {
        self.with(name, Process::start_again)?;
        self.ready(name).await
    }

    /// Waits until a process is ready.
    ///
    /// # Errors
    /// If it exits instead, or takes too long; with the end of its log.
    pub async fn ready(&self, name: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let (id, exited, ready) =
                self.with(name, |process| Ok((process.id(), process.exited()?, process.spec.ready.clone())))?;
            match exited {
                None if ready.check(&self.http, id).await => return Ok(()),
                Some(_) if ready.may_need_another_start() && begun.elapsed() < RESTART_DEADLINE => {
                    self.with(name, Process::start_again)?;
                }
                Some(status) => bail!("{name} exited ({status})\n{}", self.tail(name)),
                None => {}
            }
            if begun.elapsed() > START_DEADLINE {
                bail!("{name} was not ready within {START_DEADLINE:?}\n{}", self.tail(name));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The processes that don't run any more, and how they ended.
    pub fn exited(&self) -> Vec<(String, ExitStatus)> {
        let mut processes = lock(&self.processes);
        let ended = |(name, process): (&String, &mut Process)| Some((name.clone(), process.exited().ok()??));
        processes.iter_mut().filter_map(ended).collect()
    }

    pub(super) fn with<T>(
        &self,
        name: &str,
        act: impl FnOnce(&mut Process) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let mut processes = lock(&self.processes);
        let process = processes.get_mut(name).with_context(|| format!("there is no process {name}"))?;
        act(process).with_context(|| format!("process {name}"))
    }
}

impl Drop for Supervisor {
    /// Stops what still runs, a tier at a time, and kills what doesn't stop.
    fn drop(&mut self) {
        let processes = self.processes.get_mut().unwrap_or_else(PoisonError::into_inner);
        for tier in [Tier::Edge, Tier::Service, Tier::Backing] {
            let mut running: Vec<&mut Process> =
                processes.values_mut().filter(|process| process.spec.tier == tier).collect();
            for process in &mut running {
                let _ = process.ask_to_stop();
            }
            let deadline = Instant::now() + STOP_DEADLINE;
            while Instant::now() < deadline
                && running.iter_mut().any(|process| matches!(process.exited(), Ok(None)))
            {
                thread::sleep(POLL);
            }
            for process in running {
                let _ = process.kill();
            }
        }
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
