//! Idle connections: what each costs in memory, and what it took to open it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::{
    accounts,
    audience::Audience,
    placement::Placement,
    server::{Kind, Server},
};

/// How often the memory is read until it stays as it is.
const PAUSE: Duration = Duration::from_millis(250);
/// A server that still changes after so long is taken as it is then.
const PATIENCE: Duration = Duration::from_secs(3);

/// What so many idle connections cost a server.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Idle {
    pub(crate) connections: usize,
    /// Growth of the server's resident memory for each connection, in KiB (not the kernel's sockets).
    pub(crate) resident: f64,
    /// The same, of its proportional set size.
    pub(crate) proportional: f64,
    /// CPU seconds of the server per thousand handshakes.
    pub(crate) handshake_cpu: f64,
    pub(crate) handshakes_per_second: f64,
}

/// Connects `connections` clients to a fresh server, and reads its accounts.
pub(crate) fn measure(kind: Kind, placement: &Placement, connections: usize) -> Result<Idle> {
    let mut server = Server::start(kind, placement)?;
    let idle = measured(&mut server, connections);
    idle.with_context(|| server.process.last_words())
}

fn measured(server: &mut Server, connections: usize) -> Result<Idle> {
    let process = server.process.id();
    // One client first, so that what a server sets up once is not counted.
    let mut first = Audience::connect(server.address, server.path(), 1)?;
    let (memory, cpu, start) = (accounts::memory(process)?, accounts::cpu_seconds(process)?, Instant::now());
    let mut audience = Audience::connect(server.address, server.path(), connections)?;
    let (opened, took) = (accounts::cpu_seconds(process)? - cpu, start.elapsed().as_secs_f64());
    let settled = settle(&mut audience, process)?;
    first.stay_quiet(Duration::from_millis(1))?;
    server.process.ensure_running()?;
    ensure!(settled.resident >= memory.resident, "the server's memory shrank with {connections} clients");
    let each = |before: u64, after: u64| (after as f64 - before as f64) / connections as f64;
    Ok(Idle {
        connections,
        resident: each(memory.resident, settled.resident),
        proportional: each(memory.proportional, settled.proportional),
        handshake_cpu: opened / connections as f64 * 1_000.0,
        handshakes_per_second: connections as f64 / took,
    })
}

/// The memory once it no longer changes.
fn settle(audience: &mut Audience, process: u32) -> Result<accounts::Memory> {
    let end = Instant::now() + PATIENCE;
    let mut last = accounts::memory(process)?;
    loop {
        audience.stay_quiet(PAUSE)?;
        let memory = accounts::memory(process)?;
        if memory.resident == last.resident || Instant::now() > end {
            return Ok(memory);
        }
        last = memory;
    }
}
