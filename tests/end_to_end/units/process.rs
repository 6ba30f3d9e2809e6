//! What a unit starts, with a test in systemd's place.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use carillon_testkit::{DEADLINE, program, unique};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    net::UnixDatagram,
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use super::unit::Unit;

/// How often systemd wants to hear that a process lives, in microseconds.
const WATCHDOG: &str = "600000";

/// How often it is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(20);

/// A process that systemd would have started. It doesn't outlive this value.
pub(super) struct Process {
    name: String,
    child: Child,
    /// What it says, read at once as systemd does: a process would wait for a socket that is full.
    notices: mpsc::UnboundedReceiver<String>,
    /// What it has said, and nobody has asked for yet.
    said: Vec<String>,
}

impl Process {
    /// Starts a unit's first instance, and waits until it has said that it is ready, and that it lives. What is
    /// `configured` stands in the file of its environment, in place of the example's values.
    pub(super) async fn start(
        unit: &Unit,
        state: &Path,
        configured: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let socket = state.join(unique("notify"));
        let notices = UnixDatagram::bind(&socket)?;
        let (path, arguments) = unit.command()?;
        let name = path.strip_prefix("/usr/local/bin/").with_context(|| path.clone())?;
        let mut command = watched(&program(name)?);
        command.args(arguments).envs(unit.environment(state));
        for (name, value) in unit.environment_file()? {
            let own = configured.iter().find(|(configured, _)| *configured == name);
            command.env(&name, own.map_or(&value, |(_, own)| own));
        }
        // Tests have no ports of their own: in the file, too, these would count before the unit's.
        let free = [free_port()?, free_port()?];
        command.env("CARILLON_LISTEN", &free[0]).env("CARILLON_OPS_LISTEN", &free[1]);
        if configured.is_empty() {
            command.env_remove("CARILLON_BLOB_SECRET").env_remove("CARILLON_BLOB_STORE");
        }
        command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", WATCHDOG);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.spawn().with_context(|| unit.name.clone())?;
        let mut process = Self { name: unit.name.clone(), child, notices: heard(notices), said: Vec::new() };
        for state in ["WATCHDOG=1", "READY=1", "WATCHDOG=1"] {
            process.says(state).await?;
        }
        Ok(process)
    }

    /// SIGTERM: it says that it stops, and ends well.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process(id, Signal::TERM)?;
        self.says("STOPPING=1").await?;
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "{} ended with {status}", self.name);
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{} does not end", self.name);
            sleep(LOOK).await;
        }
    }

    /// Waits until systemd would have been told this.
    async fn says(&mut self, state: &str) -> anyhow::Result<()> {
        let deadline = Instant::now() + 3 * DEADLINE;
        while Instant::now() < deadline {
            if let Some(place) = self.said.iter().position(|said| said == state) {
                self.said.remove(place);
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended ({status}) before it said {state}", self.name);
            }
            let Ok(Some(notice)) = timeout(LOOK, self.notices.recv()).await else { continue };
            self.said.extend(notice.lines().map(str::to_owned));
        }
        bail!("{} never said {state}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended needs neither.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads notices as they come, until nobody asks for them any more.
fn heard(notices: UnixDatagram) -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut notice = [0; 256];
        while let Ok(received) = notices.recv(&mut notice).await {
            if sender.send(String::from_utf8_lossy(&notice[..received]).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The same, told of its own id, as systemd tells whom it watches.
fn watched(program: &Command) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "WATCHDOG_PID=$$ exec \"$@\"", "sh"]).arg(program.get_program());
    command.args(program.get_args()).current_dir("/");
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

fn free_port() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
