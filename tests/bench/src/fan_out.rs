//! `bench fan-out`: floor and gateway in turns, for several numbers of connections and of messages in flight.

mod report;
mod rounds;
mod stage;
mod stream;

use anyhow::Result;

use crate::{
    instructions::Instructions,
    machine::Machine,
    placement::{self, Placement},
    report::Output,
    servers::Kind,
};
use report::Report;
pub(crate) use report::{DepthReport, SizeReport};
pub(crate) use rounds::{Manner, measure};
pub(crate) use stage::{FanOut, Round};
pub(crate) use stream::{LONGEST, Stream};

/// The arguments of `bench fan-out`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Connections that every message is delivered to, as far as the limit of descriptors allows.
    #[arg(long, value_delimiter = ',', default_values_t = [500, 5_000, 20_000])]
    connections: Vec<usize>,
    /// Messages in flight, one measurement for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    in_flight: Vec<usize>,
    /// Bytes of JSON in a message, before its place in the channel is spliced in.
    #[arg(long, default_value_t = 128)]
    message_bytes: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// Pairs of measurements, floor and gateway in turns.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Let the scheduler choose cores, instead of keeping the first one for the server.
    #[arg(long)]
    unpinned: bool,
    /// Measure the floor alone.
    #[arg(long)]
    floor_only: bool,
    /// A short run that shows that everything works, and no more: overrides seconds and pairs, and has no more
    /// than 100 connections.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

/// Measures, and publishes the report.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.quick {
        (arguments.seconds, arguments.pairs) = (0.2, 2);
        arguments.connections.iter_mut().for_each(|connections| *connections = (*connections).min(100));
        arguments.connections.dedup();
    }
    let room = placement::room_for_connections()?;
    let placement = Placement::new(!arguments.unpinned)?;
    let instructions = Instructions::look();
    let manner = Manner {
        kinds: if arguments.floor_only { vec![Kind::Floor] } else { vec![Kind::Floor, Kind::Gateway] },
        in_flight: arguments.in_flight.clone(),
        message_bytes: arguments.message_bytes,
        seconds: arguments.seconds,
        pairs: arguments.pairs,
    };
    let mut notes: Vec<String> = instructions.missing.iter().cloned().collect();
    let mut sizes = Vec::new();
    for wanted in &arguments.connections {
        let connections = (*wanted).min(room);
        if connections < *wanted {
            notes.push(placement::cut_note(*wanted, connections)?);
        }
        sizes.push(measure(&manner, &placement, &instructions, connections, room)?);
    }
    let report = Report {
        machine: Machine::look(),
        message_bytes: arguments.message_bytes,
        seconds_per_round: arguments.seconds,
        pinned: placement.is_pinned(),
        notes,
        aims: report::aims_of(&sizes),
        sizes,
    };
    arguments.output.publish("fan-out", &report, Some(report.chart().svg()))
}
