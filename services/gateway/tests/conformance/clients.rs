//! Clients of other make, each on a gateway that answers what it hears with itself.

mod browser;
mod tungstenite;

use std::{path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use libtest_mimic::Trial;
use tokio::{process::Command, time::timeout};

use crate::stage::{BINARIES, Stage, TEXTS};

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const NAMES: [&str; 4] =
    ["client of npm's ws", "client of Python's websockets", "client of tungstenite", "client in Chromium"];

pub(crate) fn trials(stage: &Arc<Stage>) -> Vec<Trial> {
    let trial = |name: &str, run: fn(&Stage) -> anyhow::Result<()>| {
        let stage = stage.clone();
        Trial::test(name, move || Ok(run(&stage)?))
    };
    let [ws, websockets, tungstenite, chromium] = NAMES;
    vec![
        trial(ws, npm_ws),
        trial(websockets, python_websockets),
        trial(tungstenite, |stage| stage.block_on(tungstenite::talk(stage))),
        // It is large to install, so the tests that everybody runs go without.
        trial(chromium, browser::talk).with_ignored_flag(true),
    ]
}

fn npm_ws(stage: &Stage) -> anyhow::Result<()> {
    let mut command = Command::new("node");
    command.env("NODE_PATH", installed("node_modules")?).arg(beside("ws.js"));
    run(stage, command)
}

fn python_websockets(stage: &Stage) -> anyhow::Result<()> {
    let mut command = Command::new(installed(".venv/bin/python")?);
    command.arg(beside("websockets_client.py"));
    run(stage, command)
}

/// Where clients find the endpoints of texts and of binary messages: first of the gateway that declines
/// compression, then of the one that accepts it.
fn addresses(stage: &Stage) -> [String; 4] {
    let at = |address| [TEXTS, BINARIES].map(|path| format!("ws://{address}{path}"));
    let ([texts, binaries], [compressed_texts, compressed_binaries]) =
        (at(stage.address), at(stage.compressing));
    [texts, binaries, compressed_texts, compressed_binaries]
}

/// Runs a client that ends by itself, well if all is well.
fn run(stage: &Stage, mut command: Command) -> anyhow::Result<()> {
    command.args(addresses(stage)).stdin(Stdio::null()).kill_on_drop(true);
    let output = stage.block_on(async { timeout(PATIENCE, command.output()).await });
    let output = output.context("it did not end")?.with_context(|| format!("{command:?}"))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn beside(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/clients")).join(name)
}

/// What the test set-up has put beside the end-to-end tests.
fn installed(name: &str) -> anyhow::Result<PathBuf> {
    let clients = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/end_to_end/clients");
    let path = PathBuf::from(clients).join(name);
    ensure!(path.exists(), "{} is not there: run `make setup-tests` first", path.display());
    Ok(path)
}
