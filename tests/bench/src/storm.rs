//! `bench storm`: thousands of clients come back at once and recover what they missed.

mod measuring;
mod report;
mod returning;

use std::time::Duration;

use anyhow::{Context, Result};

use crate::{
    machine::Machine,
    placement::{self, Placement},
    probe::Pace,
    report::Output,
    servers::{Kind, Server},
};
use measuring::{Case, Stage};
use report::{CaseReport, Report};

/// Descriptors of a gateway beside those of the storm: probe, one faithful listener per channel, its own.
const RESERVE: usize = 300;

/// The arguments of `bench storm`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Clients that come back, as far as the limit of descriptors allows.
    #[arg(long, default_value_t = 10_000)]
    clients: usize,
    /// Channels that they are spread over.
    #[arg(long, default_value_t = 100)]
    channels: usize,
    /// Events that each of them has missed.
    #[arg(long, default_value_t = 50)]
    missed: usize,
    /// Bytes of JSON in an event, before its place in the channel is spliced in.
    #[arg(long, default_value_t = 128)]
    message_bytes: usize,
    /// Handshakes and recoveries under way at once.
    #[arg(long, default_value_t = 512)]
    at_once: usize,
    /// Listeners of the undisturbed channel.
    #[arg(long, default_value_t = 100)]
    listeners: usize,
    /// Milliseconds between two messages of the undisturbed channel.
    #[arg(long, default_value_t = 5)]
    interval_ms: u64,
    /// Seconds for which the undisturbed channel is measured before each storm.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often each case is measured: calm, then storm.
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Let the scheduler choose cores, instead of keeping the first one for the gateway.
    #[arg(long)]
    unpinned: bool,
    /// A short run that shows that everything works, and no more: 100 clients, twice.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

/// Measures, and publishes the report.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.quick {
        (arguments.seconds, arguments.pairs) = (0.2, 2);
        (arguments.clients, arguments.channels) = (arguments.clients.min(100), arguments.channels.min(10));
        arguments.listeners = arguments.listeners.min(10);
    }
    let mut notes = Vec::new();
    let room = placement::room_for_connections()?.saturating_sub(arguments.listeners + RESERVE);
    if arguments.clients > room {
        notes.push(placement::cut_note(arguments.clients, room)?);
        arguments.clients = room;
    }
    let placement = Placement::new(!arguments.unpinned)?;
    let cases = [Case::Memory, Case::Log].into_iter().map(|case| measure(&placement, &arguments, case));
    let cases: Vec<CaseReport> = cases.collect::<Result<_>>()?;
    let report = Report {
        machine: Machine::look(),
        pinned: placement.is_pinned(),
        clients: arguments.clients,
        channels: arguments.channels,
        missed: arguments.missed,
        listeners: arguments.listeners,
        interval_ms: arguments.interval_ms,
        notes,
        aims: report::aims_of(&cases),
        cases,
    };
    arguments.output.publish("storm", &report, None)
}

/// A fresh gateway, on which the storms of one case follow each other.
fn measure(placement: &Placement, arguments: &Arguments, case: Case) -> Result<CaseReport> {
    let server = Server::start(Kind::Gateway, placement)?;
    let storms = || {
        let mut stage = Stage::new(&server, arguments, case)?;
        let storm = |pair| {
            eprintln!("storm, {}, {pair} of {}", case.name(), arguments.pairs);
            stage.storm()
        };
        (1..=arguments.pairs).map(storm).collect::<Result<_>>()
    };
    let storms = storms().with_context(|| server.process.last_words())?;
    Ok(CaseReport { case, storms })
}

impl Arguments {
    fn pace(&self) -> Pace {
        Pace { listeners: self.listeners, interval: Duration::from_millis(self.interval_ms) }
    }
}
