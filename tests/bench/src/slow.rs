//! `bench slow`: a client that reads nothing among fast ones, and one very large channel.

mod among;
mod large;
mod report;
mod sleeper;

use std::time::Duration;

use anyhow::Result;

use crate::{
    machine::Machine,
    placement::{self, Placement},
    probe::Pace,
    report::{Comparison, Output},
    servers::Kind,
};
use report::{LargeReport, Report};

/// Descriptors of a server beside those of its clients.
const RESERVE: usize = 100;

/// The arguments of `bench slow`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Arguments {
    /// Fast clients on the channel of the slow one.
    #[arg(long, default_value_t = 100)]
    fast: usize,
    /// Bytes of JSON in their messages, of which 16 are in flight.
    #[arg(long, default_value_t = 1_024)]
    message_bytes: usize,
    /// Connections of the large channel, as far as the limit of descriptors allows.
    #[arg(long, default_value_t = 50_000)]
    large: usize,
    /// Milliseconds between two messages of the large channel.
    #[arg(long, default_value_t = 250)]
    large_interval_ms: u64,
    /// Listeners of the undisturbed channel.
    #[arg(long, default_value_t = 100)]
    listeners: usize,
    /// Milliseconds between two messages of the undisturbed channel.
    #[arg(long, default_value_t = 5)]
    interval_ms: u64,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// How often each is measured.
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// Let the scheduler choose cores, instead of keeping the first one for the server.
    #[arg(long)]
    unpinned: bool,
    /// A short run that shows that everything works, and no more.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

/// Measures, and publishes the report.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.quick {
        (arguments.seconds, arguments.pairs) = (0.2, 1);
        (arguments.fast, arguments.large) = (arguments.fast.min(10), arguments.large.min(200));
        (arguments.listeners, arguments.large_interval_ms) = (arguments.listeners.min(10), 50);
    }
    let mut notes = Vec::new();
    let room = placement::room_for_connections()?.saturating_sub(arguments.listeners + RESERVE);
    if arguments.large > room {
        notes.push(placement::cut_note(arguments.large, room)?);
        arguments.large = room;
    }
    let placement = Placement::new(!arguments.unpinned)?;
    let among = among::measure(&placement, &arguments)?;
    let mut large = LargeReport { connections: arguments.large, measurements: Comparison::default() };
    for pair in 1..=arguments.pairs {
        for kind in [Kind::Floor, Kind::Gateway] {
            eprintln!(
                "a channel of {}, pair {pair} of {}, {}",
                arguments.large,
                arguments.pairs,
                kind.name()
            );
            large.measurements.push(kind, large::measure(kind, &placement, &arguments)?);
        }
    }
    let report = Report {
        machine: Machine::look(),
        pinned: placement.is_pinned(),
        fast: arguments.fast,
        message_bytes: arguments.message_bytes,
        listeners: arguments.listeners,
        interval_ms: arguments.interval_ms,
        large_interval_ms: arguments.large_interval_ms,
        notes,
        among,
        large,
    };
    arguments.output.publish("slow", &report, None)
}

impl Arguments {
    fn pace(&self) -> Pace {
        Pace { listeners: self.listeners, interval: Duration::from_millis(self.interval_ms) }
    }

    fn period(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}
