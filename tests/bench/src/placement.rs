//! Which core runs what, and how many descriptors there are.

use std::thread;

use anyhow::{Context, Result};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

/// How nice the background is.
const BACKGROUND: i32 = 15;

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

/// Descriptors that a process needs beside its connections.
const RESERVE: u64 = 100;

/// How many connections this process can have, and one that it starts.
///
/// # Errors
/// A limit that can't be raised.
pub(crate) fn room_for_connections() -> Result<usize> {
    let room = raise_descriptor_limit()?.saturating_sub(RESERVE);
    Ok(usize::try_from(room).unwrap_or(usize::MAX))
}

/// What a report says where there are fewer connections than were wanted.
///
/// # Errors
/// As [`room_for_connections`].
pub(crate) fn cut_note(wanted: usize, connections: usize) -> Result<String> {
    let limit = raise_descriptor_limit()?;
    Ok(format!(
        "The limit of {limit} descriptors per process allows {connections} connections instead of {wanted}."
    ))
}

/// Runs `work` on a thread that yields to this process's others, and waits for it: its connections crowd the
/// machine, and are not what is timed. It must not start processes, which would yield as well.
///
/// # Errors
/// Those of `work`.
pub(crate) fn in_the_background<R: Send>(work: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            // To Linux this is about the calling thread alone.
            setpriority_process(None, BACKGROUND).context("cannot lower a thread's priority")?;
            work()
        });
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Raises this process's limit of descriptors as far as it may, which those that it starts inherit.
/// Returns the limit.
pub(crate) fn raise_descriptor_limit() -> Result<u64> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("cannot raise the limit")?;
    Ok(maximum.unwrap_or(u64::MAX))
}
