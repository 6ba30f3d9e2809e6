//! A client that is a program of its own: what it prints, and what is typed into it.

use std::{path::PathBuf, process::Stdio};

use anyhow::{Context, bail, ensure};
use carillon_testkit::DEADLINE;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::timeout,
};

use crate::suite::authority;

/// Makes the WebSocket of browsers known to JavaScript: Node's own needs a newer Node than Debian has.
const BROWSER: &str = "globalThis.WebSocket = require('ws');";

/// A running program, which is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    printed: Vec<String>,
}

impl Program {
    /// Python code, in the environment that `scripts/setup-tests.sh` makes.
    pub(crate) fn python(code: &str) -> anyhow::Result<Self> {
        let python = installed(".venv/bin/python")?;
        Self::start(Command::new(python).args(["-u", "-c", code]))
    }

    /// JavaScript, as on a page.
    pub(crate) fn javascript(code: &str) -> anyhow::Result<Self> {
        let modules = installed("node_modules")?;
        Self::start(
            Command::new("node").env("NODE_PATH", modules).args(["-e", &format!("{BROWSER}\n{code}")]),
        )
    }

    /// A shell's command line; `wscat` is on its PATH.
    pub(crate) fn shell(command: &str) -> anyhow::Result<Self> {
        let programs = installed("node_modules/.bin")?;
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", programs.display());
        Self::start(Command::new("bash").env("PATH", path).args(["-c", command]))
    }

    fn start(command: &mut Command) -> anyhow::Result<Self> {
        if let Some(file) = authority() {
            command.env("NODE_EXTRA_CA_CERTS", file).env("SSL_CERT_FILE", file).env("CURL_CA_BUNDLE", file);
        }
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().with_context(|| format!("{command:?}"))?;
        let input = child.stdin.take().context("its input")?;
        let output = BufReader::new(child.stdout.take().context("its output")?).lines();
        Ok(Self { child, input, output, printed: Vec::new() })
    }

    /// The next line that has this text; those before are passed over.
    pub(crate) async fn line(&mut self, text: &str) -> anyhow::Result<String> {
        loop {
            match timeout(DEADLINE, self.output.next_line()).await {
                Ok(Ok(Some(line))) => {
                    self.printed.push(line.clone());
                    if line.contains(text) {
                        return Ok(line);
                    }
                }
                _ => {
                    let complaints = self.complaints().await;
                    bail!("it did not print {text:?} but {:?}\n{complaints}", self.printed);
                }
            }
        }
    }

    /// Types a line.
    pub(crate) async fn type_line(&mut self, line: &str) -> anyhow::Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).await.context("typing")
    }

    /// Waits until it ends by itself, well.
    pub(crate) async fn ends(mut self) -> anyhow::Result<()> {
        let status = timeout(DEADLINE, self.child.wait()).await.context("it did not end")??;
        ensure!(status.success(), "{status}: {}", self.complaints().await);
        Ok(())
    }

    /// Stops it, after it was seen to run.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "it has ended: {}", self.complaints().await);
        self.child.kill().await.context("stopping it")
    }

    /// What it has to say for itself, once it is stopped.
    async fn complaints(&mut self) -> String {
        self.child.kill().await.ok();
        let mut text = String::new();
        if let Some(stderr) = self.child.stderr.take() {
            let mut lines = BufReader::new(stderr).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }
}

/// What the test set-up has put beside the tests.
/// Where something is that `scripts/setup-tests.sh` installs for clients.
pub(crate) fn installed(name: &str) -> anyhow::Result<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/end_to_end/clients")).join(name);
    ensure!(path.exists(), "{} is not there: run `make setup-tests` first", path.display());
    Ok(path)
}
