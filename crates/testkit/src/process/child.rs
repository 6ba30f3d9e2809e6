//! One child process: started, signalled, started again; its output in a file.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use super::{program, ready::Ready, spawner};

/// Variables by which Carillon is configured: those of the developer's shell must not reach a test.
const OWN_VARIABLES: [&str; 8] = [
    "ALLOWED_HOSTS",
    "DEBUG",
    "KEYCLOAK_JWKS_URL",
    "MAX_CONNECTIONS_PER_IP",
    "MAX_MESSAGES_PER_MINUTE",
    "MAX_RECONNECT_ATTEMPTS",
    "RUST_LOG",
    "USE_PRODUCTION_WEBSOCKET_MIDDLEWARE",
];

/// In which order processes are stopped: those that use another go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tier {
    /// Terminates clients' connections.
    Edge,
    /// Owns a domain.
    Service,
    /// NATS and Postgres.
    Backing,
}

/// How a process is started, each time.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(String, String)>,
    /// The system user that it runs as, if it isn't ours.
    pub(crate) user: Option<&'static str>,
    pub(crate) stop_signal: Signal,
    pub(crate) tier: Tier,
    pub(crate) ready: Ready,
}

/// A process that was started at least once.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) spec: Spec,
    log: PathBuf,
    child: Child,
}

impl Process {
    pub(crate) fn start(spec: Spec, directory: &Path) -> anyhow::Result<Self> {
        let log = directory.join(format!("{}.log", spec.name));
        let child = spawn(&spec, &log)?;
        Ok(Self { spec, log, child })
    }

    /// Starts it again, after it has exited.
    pub(crate) fn start_again(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.exited()?.is_some(), "{} still runs", self.spec.name);
        self.child = spawn(&self.spec, &self.log)?;
        Ok(())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it exited, if it has.
    pub(crate) fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// SIGKILL. Returns once it is gone, and with it what it started: processes of Postgres would go on answering
    /// for the moment that they take to notice.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        // It starts no more while it is stopped.
        self.signal(Signal::STOP)?;
        let started = self.started();
        self.child.kill()?;
        for id in started {
            // One that is gone already needs none.
            let _ = kill_process(id, Signal::KILL);
        }
        self.child.wait().map(drop)
    }

    /// The processes that it has started itself.
    fn started(&self) -> Vec<Pid> {
        let list = format!("/proc/{id}/task/{id}/children", id = self.id());
        let list = fs::read_to_string(list).unwrap_or_default();
        list.split_whitespace().filter_map(|id| id.parse().ok().and_then(Pid::from_raw)).collect()
    }

    /// Asks it to stop, by the signal that it expects.
    pub(crate) fn ask_to_stop(&mut self) -> io::Result<()> {
        self.signal(self.spec.stop_signal)
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> io::Result<()> {
        if self.exited()?.is_none()
            && let Some(id) = i32::try_from(self.id()).ok().and_then(Pid::from_raw)
        {
            kill_process(id, signal)?;
        }
        Ok(())
    }

    /// How much it has written so far, in bytes.
    pub(crate) fn written(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |metadata| metadata.len())
    }

    /// The last `lines` lines that it wrote after its first `from` bytes.
    pub(crate) fn tail(&self, from: u64, lines: usize) -> String {
        let mut text = Vec::new();
        let read = File::open(&self.log).and_then(|mut file| {
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut text)
        });
        if let Err(error) = read {
            return format!("{}: {error}", self.log.display());
        }
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

fn spawn(spec: &Spec, log: &Path) -> anyhow::Result<Child> {
    let out = File::options().create(true).append(true).open(log).context("a child's log file")?;
    let mut command = command(&spec.program, spec.user)?;
    command.args(&spec.arguments).envs(spec.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    spawner::spawn(command).with_context(|| format!("starting {}", spec.name))
}

/// A command that dies with this process, and isn't reached by a terminal's Ctrl-C.
pub(crate) fn command(program: &Path, user: Option<&str>) -> anyhow::Result<Command> {
    let mut command = Command::new(program::installed("setpriv", "util-linux")?);
    command.args(["--pdeathsig", "KILL"]);
    if let Some(user) = user {
        command.args([format!("--reuid={user}"), format!("--regid={user}"), "--init-groups".to_owned()]);
    }
    command.arg("--").arg(program).current_dir("/").process_group(0);
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARILLON_") || OWN_VARIABLES.contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    Ok(command)
}
