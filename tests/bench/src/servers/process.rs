//! A server that is measured: a process of its own, ended with its owner.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{self, Sender},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// What the floor says once it is ready, before its address.
pub(crate) const ANNOUNCEMENT: &str = "listening on http://";

/// How long a process may take to become ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many lines of a process's log are shown when something fails.
const LAST_WORDS: usize = 20;

/// A running process. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    /// Where it writes to, unless that is this process's standard error.
    log: Option<PathBuf>,
    /// What it needs for as long as it runs.
    directory: Option<TempDir>,
}

/// A command that the kernel ends together with the thread that starts it, so that an
/// interrupted measurement leaves nothing behind.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program).stdin(Stdio::null());
    command
}

impl Process {
    /// Starts a command that announces its address, and waits until it does.
    ///
    /// # Errors
    /// A process that cannot be started, or that ends before it is ready.
    pub(crate) fn announced(name: &'static str, mut command: Command) -> Result<(Self, SocketAddr)> {
        let mut process = Self::start(name, command.stdout(Stdio::piped()), None)?;
        let stdout = process.child.stdout.take().context("no standard output")?;
        let (told, announcement) = mpsc::channel();
        // It reads on for as long as the process runs: a full pipe would block that.
        thread::spawn(move || listen(stdout, &told));
        let announced = announcement.recv_timeout(PATIENCE);
        let address = announced.with_context(|| format!("the {name} did not say where it listens"))?;
        Ok((process, address.parse().with_context(|| format!("no address: {address}"))?))
    }

    /// Starts a command that writes to a log file.
    ///
    /// # Errors
    /// A process that cannot be started.
    pub(crate) fn logging(name: &'static str, mut command: Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        command.stdout(file.try_clone()?).stderr(file);
        Self::start(name, &mut command, Some(log.to_owned()))
    }

    fn start(name: &'static str, command: &mut Command, log: Option<PathBuf>) -> Result<Self> {
        let child = command.spawn().with_context(|| format!("cannot start the {name}: {command:?}"))?;
        Ok(Self { name, child, log, directory: None })
    }

    /// The same process, with a directory that is removed after its end.
    pub(crate) fn keeping(mut self, directory: TempDir) -> Self {
        self.directory = Some(directory);
        self
    }

    /// The same process, once it accepts connections at this port.
    ///
    /// # Errors
    /// If it doesn't in time.
    pub(crate) fn answering(mut self, port: u16) -> Result<Self> {
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            self.ensure_running().with_context(|| self.last_words())?;
            ensure!(since.elapsed() < PATIENCE, "the {} does not answer", self.name);
            thread::sleep(Duration::from_millis(20));
        }
        Ok(self)
    }

    /// Its id, for the accounts.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// # Errors
    /// If it has ended, which no server is to do by itself.
    pub(crate) fn ensure_running(&mut self) -> Result<()> {
        let status = self.child.try_wait()?;
        ensure!(status.is_none(), "the {} has ended: {}", self.name, status.unwrap_or_default());
        Ok(())
    }

    /// The end of its log, for whoever has to find out what went wrong.
    pub(crate) fn last_words(&self) -> String {
        let Some(log) = &self.log else { return format!("measuring the {}", self.name) };
        let text = fs::read(log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(LAST_WORDS)..].join("\n");
        format!("measuring the {}, whose log ends with:\n{last}\n", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a process that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes on what follows the announcement, and passes over everything else.
fn listen(stdout: ChildStdout, told: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        if let Some(address) = line.strip_prefix(ANNOUNCEMENT) {
            // Nobody waits for it any more if it comes too late.
            let _ = told.send(address.to_owned());
        }
    }
}
