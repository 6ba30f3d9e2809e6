//! One very large channel beside a small one.

use std::{thread, time::Duration};

use anyhow::{Context, Result};
use serde::Serialize;

use super::Arguments;
use crate::{
    fan_out::Stream,
    machine::Moment,
    placement,
    placement::Placement,
    probe::{Noticed, Probe},
    servers::{Kind, Server},
};

const GROUP: &str = "large";
const MESSAGE_BYTES: usize = 128;

/// What the small channel has noticed of the large one.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Large {
    pub(crate) calm: Noticed,
    pub(crate) disturbed: Noticed,
    /// From publish to receipt on the large channel, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Messages of the large channel.
    pub(crate) messages: u64,
    /// Cores that other work on the machine took meanwhile.
    pub(crate) others: f64,
}

/// Measures a fresh server: two of them don't fit into a process's descriptors.
pub(super) fn measure(kind: Kind, placement: &Placement, arguments: &Arguments) -> Result<Large> {
    let server = Server::start(kind, placement)?;
    measured(&server, arguments).with_context(|| server.process.last_words())
}

fn measured(server: &Server, arguments: &Arguments) -> Result<Large> {
    let mut stream = Stream::connect(server, GROUP, arguments.large, MESSAGE_BYTES)?;
    let mut probe = Probe::start(server, arguments.pace())?;
    stream.attend()?;
    let moment = Moment::now()?;
    probe.forget();
    thread::sleep(arguments.period());
    let calm = probe.noticed()?;
    let interval = Duration::from_millis(arguments.large_interval_ms);
    let (disturbed, deliveries) = placement::in_the_background(|| {
        probe.forget();
        let tally = stream.pace(interval, arguments.period())?;
        Ok((probe.noticed()?, tally.deliveries))
    })?;
    let others = moment.others_until(Moment::now()?);
    probe.end()?;
    let (p50, p99) = (stream.micros(0.5), stream.micros(0.99));
    Ok(Large { calm, disturbed, p50, p99, messages: deliveries / arguments.large as u64, others })
}
