//! A real gateway, a process of its own, on a real NATS server.

use std::{
    env,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use carillon_testkit::JWT_SECRET;
use tempfile::TempDir;

use super::{
    process::{self, Process},
    stand_in::StandIn,
};
use crate::{metrics, placement::Placement};

/// How long a gateway may take to become ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// A gateway, and where it listens.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) listen: SocketAddr,
    pub(super) operations: SocketAddr,
}

/// Starts a gateway that logs into `directory`, with authentication, limits, metrics and heartbeats as in
/// production; or, for comparison, without counting and timing deliveries.
///
/// # Errors
/// No gateway built beside this program, or one that doesn't become ready.
pub(super) fn start(
    placement: &Placement,
    stand_in: &StandIn,
    directory: &TempDir,
    instrumentation: bool,
) -> Result<Started> {
    let (listen, operations) = (free_address()?, free_address()?);
    let mut command = process::command(program()?);
    command.args(["--listen", &listen.to_string(), "--ops-listen", &operations.to_string()]);
    command.args(["--nats-url", &stand_in.nats_url(), "--mode", "production", "--log", "warn"]);
    command.env("CARILLON_JWT_SECRET", JWT_SECRET);
    // Every limit is on, and out of reach of a crowd that comes from one address.
    for limit in
        ["connections-per-address", "connections-per-user", "max-connections", "reconnections-per-hour"]
    {
        command.args([&format!("--{limit}"), "1000000"]);
    }
    command.args(["--handshakes-per-second", "1000000", "--messages-per-minute", "1000000000"]);
    command.args(["--instrumentation", &instrumentation.to_string()]);
    let log = directory.path().join("gateway.log");
    let mut process = placement.on_the_servers_core(|| Process::logging("gateway", command, &log))?;
    let ready = await_ready(&mut process, operations);
    ready.with_context(|| process.last_words())?;
    Ok(Started { process, listen, operations })
}

/// Built with the same profile, so it stands beside this one.
fn program() -> Result<PathBuf> {
    let program = env::current_exe()?.with_file_name("gateway");
    let build = "build it with the same profile (cargo build -p carillon-gateway)";
    ensure!(program.is_file(), "there is no {}: {build}", program.display());
    Ok(program)
}

/// Free now, and hardly taken within the moment until the gateway listens.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

fn await_ready(process: &mut Process, operations: SocketAddr) -> Result<()> {
    let since = Instant::now();
    while !is_ready(operations) {
        process.ensure_running()?;
        if since.elapsed() > PATIENCE {
            bail!("the gateway is not ready after {} s", PATIENCE.as_secs());
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Whether `/readyz` says so.
fn is_ready(operations: SocketAddr) -> bool {
    metrics::get(operations, "/readyz").is_ok_and(|response| response.starts_with("HTTP/1.1 200 "))
}
