//! The gateway, a process of its own, that lets everyone in and takes the largest messages it can.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::stage::{LARGEST_BINARY, LARGEST_TEXT};

/// How long it may take to become ready, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// It is killed when this is dropped, and when the thread ends that started it.
pub(crate) struct GatewayProcess {
    child: Child,
    operations: SocketAddr,
    _directory: TempDir,
}

impl GatewayProcess {
    /// Starts one with these options besides its usual ones, and says where it listens.
    pub(crate) fn start(nats_url: &str, options: &[&str]) -> anyhow::Result<(Self, SocketAddr)> {
        let directory = TempDir::with_prefix("carillon-conformance-")?;
        let log = directory.path().join("gateway.log");
        let (listen, operations) = (free_address()?, free_address()?);
        let arguments = [
            ("--listen", listen.to_string()),
            ("--ops-listen", operations.to_string()),
            ("--nats-url", nats_url.to_owned()),
            ("--allow-anonymous", "all".to_owned()),
            ("--frame-bytes", LARGEST_TEXT.to_string()),
            ("--binary-frame-bytes", LARGEST_BINARY.to_string()),
            // Nobody is slowed down, or told to come back later.
            ("--binary-bytes-per-minute", u32::MAX.to_string()),
            ("--mode", "development".to_owned()),
            ("--messages-per-minute", "0".to_owned()),
            ("--handshakes-per-second", "0".to_owned()),
            ("--log", "warn".to_owned()),
        ];
        let file = File::create(&log)?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_gateway")]);
        command.args(arguments.iter().flat_map(|(name, value)| [*name, value])).args(options);
        // What a shell has set for another gateway is none of this one's business.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().context("setpriv: run `make setup-tests` first")?;
        let mut process = Self { child, operations, _directory: directory };
        let ready = process.await_ready();
        ready.with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok((process, listen))
    }

    /// Its number among the machine's processes.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The sum of the values of a metric, whose lines begin like this.
    pub(crate) fn metric(&self, beginning: &str) -> anyhow::Result<f64> {
        let metrics = ask(self.operations, "/metrics")?;
        let lines = metrics.lines().filter(|line| line.starts_with(beginning));
        lines.map(|line| line.rsplit(' ').next().unwrap_or_default().parse::<f64>().context("a value")).sum()
    }

    fn await_ready(&mut self) -> anyhow::Result<()> {
        let since = Instant::now();
        while !ask(self.operations, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 ")) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the gateway has ended: {status}");
            }
            if since.elapsed() > PATIENCE {
                bail!("the gateway is not ready");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Free now, and hardly taken within the moment until the gateway listens.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// What it answers on its port for operators, head and body.
fn ask(operations: SocketAddr, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(operations)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {operations}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
