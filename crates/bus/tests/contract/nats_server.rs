//! A private nats-server.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(20);

/// A nats-server on a free port of this machine. Killed when dropped.
pub(crate) struct NatsServer {
    directory: TempDir,
    process: Child,
    port: u16,
}

impl NatsServer {
    /// Starts a server with this configuration besides address and port.
    pub(crate) fn start(configuration: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("nats.conf"), configuration).expect("a configuration file");
        let process = spawn(directory.path(), -1);
        let mut server = Self { directory, process, port: 0 };
        server.port = server.wait_until_ready().expect("nats-server did not start");
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("a process to kill");
        self.process.wait().expect("a process that ended");
    }

    /// Starts it again on the same port, which may be in other hands for a moment.
    pub(crate) fn restart(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        loop {
            self.process = spawn(self.directory.path(), i32::from(self.port));
            match self.wait_until_ready() {
                Some(port) => return assert_eq!(port, self.port),
                None => assert!(Instant::now() < deadline, "port {} stays taken", self.port),
            }
        }
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        let status = Command::new("kill").args(["-s", name, &process]).status().expect("kill");
        assert!(status.success());
    }

    /// The port, from the file that the server writes when it listens; `None` if it ended instead.
    fn wait_until_ready(&mut self) -> Option<u16> {
        let file = self.directory.path().join(format!("nats-server_{}.ports", self.process.id()));
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if let Some((_, rest)) = text.split_once("nats://127.0.0.1:") {
                return rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok();
            }
            if self.process.try_wait().expect("a process").is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("nats-server did not start within {DEADLINE:?}");
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        // It may have been killed by the test.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(directory: &Path, port: i32) -> Child {
    Command::new(program())
        .current_dir(directory)
        .args(["--config", "nats.conf", "--addr", "127.0.0.1", "--ports_file_dir", "."])
        .args(["--port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server starts")
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/bin".into()])
        .map(|directory| directory.join("nats-server"))
        .find(|program| program.is_file())
        .expect("nats-server is needed: install it with `apt-get install nats-server` (2.9.10 or newer)")
}
