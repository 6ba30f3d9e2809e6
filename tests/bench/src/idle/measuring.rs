//! One server with idle connections.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::FIRST;
use crate::{
    accounts,
    client::{Audience, stamp},
    machine::Moment,
    placement::Placement,
    servers::{Kind, Seat, Server},
};

/// How often the memory is read until it stays as it is.
const PAUSE: Duration = Duration::from_millis(250);
/// A server that still changes after so long is taken as it is then.
const PATIENCE: Duration = Duration::from_secs(3);

/// What so many idle connections cost a server.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Idle {
    /// Growth of the server's resident memory for each connection, in KiB (not the kernel's sockets).
    pub(crate) resident: f64,
    /// The same, of its proportional set size.
    pub(crate) proportional: f64,
    /// How many handshakes the server does for a CPU second.
    pub(crate) handshakes_per_cpu_second: f64,
    pub(crate) handshakes_per_second: f64,
    /// Cores that other work on the machine took meanwhile.
    pub(crate) others: f64,
}

/// Connects so many clients to a fresh server, and reads its accounts.
///
/// # Errors
/// A client that is refused, or not served in time.
pub(super) fn measure(kind: Kind, placement: &Placement, seat: Seat, connections: usize) -> Result<Idle> {
    let mut server = Server::start(kind, placement)?;
    let idle = measured(&mut server, seat, connections);
    idle.with_context(|| server.process.last_words())
}

fn measured(server: &mut Server, seat: Seat, connections: usize) -> Result<Idle> {
    let process = server.process.id();
    let mut first = Audience::connect(server.address, &server.guests(seat, connections + 1, FIRST), stamp)?;
    // Tokens are made before the clock runs.
    let guests = server.guests(seat, 1, connections);
    let (memory, cpu) = (accounts::memory(process)?, accounts::cpu_seconds(process)?);
    let (moment, start) = (Moment::now()?, Instant::now());
    let mut audience = Audience::connect(server.address, &guests, stamp)?;
    let (opened, took) = (accounts::cpu_seconds(process)? - cpu, start.elapsed().as_secs_f64());
    let others = moment.others_until(Moment::now()?);
    let settled = settle(&mut audience, process)?;
    first.attend()?;
    server.process.ensure_running()?;
    ensure!(settled.resident >= memory.resident, "the server's memory shrank with {connections} clients");
    let each = |before: u64, after: u64| (after as f64 - before as f64) / connections as f64;
    Ok(Idle {
        resident: each(memory.resident, settled.resident),
        proportional: each(memory.proportional, settled.proportional),
        // The accounts count in hundredths of a second.
        handshakes_per_cpu_second: connections as f64 / opened.max(0.01),
        handshakes_per_second: connections as f64 / took,
        others,
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
