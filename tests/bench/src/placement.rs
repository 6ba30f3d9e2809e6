//! Which core runs what, and how many descriptors there are.

use anyhow::{Context, Result};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// The server has the first core for itself; the load client and the bus share the others.
#[derive(Debug)]
pub(crate) struct Placement {
    cores: Option<Cores>,
}

#[derive(Debug)]
struct Cores {
    server: CpuSet,
    client: CpuSet,
}

impl Placement {
    /// Moves this thread, and all that it starts from now on, off the server's core.
    ///
    /// With `pinned` unset, or on a machine of one core, everything runs anywhere.
    pub(crate) fn new(pinned: bool) -> Result<Self> {
        let mut client = sched_getaffinity(None)?;
        if !pinned || client.count() < 2 {
            return Ok(Self { cores: None });
        }
        let first = (0..CpuSet::MAX_CPU).find(|core| client.is_set(*core)).context("no core at all")?;
        let mut server = CpuSet::new();
        server.set(first);
        client.unset(first);
        sched_setaffinity(None, &client)?;
        Ok(Self { cores: Some(Cores { server, client }) })
    }

    /// Whether the server has a core for itself.
    pub(crate) fn is_pinned(&self) -> bool {
        self.cores.is_some()
    }

    /// Runs `start`, which starts a process, so that it finds itself on the server's core.
    pub(crate) fn on_the_servers_core<R>(&self, start: impl FnOnce() -> Result<R>) -> Result<R> {
        let Some(cores) = &self.cores else { return start() };
        sched_setaffinity(None, &cores.server)?;
        let started = start();
        sched_setaffinity(None, &cores.client)?;
        started
    }
}

/// Raises this process's limit of descriptors as far as it may, which those that it starts inherit.
/// Returns the limit.
pub(crate) fn raise_descriptor_limit() -> Result<u64> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("cannot raise the limit")?;
    Ok(maximum.unwrap_or(u64::MAX))
}
