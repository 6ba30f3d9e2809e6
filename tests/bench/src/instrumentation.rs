//! `bench instrumentation`: a gateway that counts and times its deliveries beside one that doesn't, in turns.

mod report;

use anyhow::Result;

use crate::{
    fan_out::{Manner, measure},
    instructions::Instructions,
    machine::Machine,
    placement::{self, Placement},
    report::Output,
    servers::Kind,
};
use report::Report;

/// The arguments of `bench instrumentation`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Connections that every message is delivered to: what is counted for each message weighs most where
    /// there are few.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 500])]
    connections: Vec<usize>,
    /// Messages in flight, one measurement for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64])]
    in_flight: Vec<usize>,
    /// Bytes of JSON in a message, before its place in the channel is spliced in.
    #[arg(long, default_value_t = 128)]
    message_bytes: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// Pairs of measurements, with and without in turns: more than elsewhere, since the difference is small.
    #[arg(long, default_value_t = 15)]
    pairs: usize,
    /// Let the scheduler choose cores, instead of keeping the first one for the server.
    #[arg(long)]
    unpinned: bool,
    /// A short run that shows that everything works, and no more: overrides seconds and pairs, and has no more
    /// than 50 connections.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

/// Measures, and publishes the report.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.quick {
        (arguments.seconds, arguments.pairs) = (0.2, 2);
        arguments.connections.iter_mut().for_each(|connections| *connections = (*connections).min(50));
        arguments.connections.dedup();
    }
    let room = placement::room_for_connections()?;
    let placement = Placement::new(!arguments.unpinned)?;
    let instructions = Instructions::look();
    let manner = Manner {
        kinds: vec![Kind::Uninstrumented, Kind::Gateway],
        in_flight: arguments.in_flight.clone(),
        message_bytes: arguments.message_bytes,
        seconds: arguments.seconds,
        pairs: arguments.pairs,
    };
    let sizes = arguments.connections.iter();
    let sizes = sizes.map(|connections| measure(&manner, &placement, &instructions, *connections, room));
    let sizes = sizes.collect::<Result<Vec<_>>>()?;
    let report = Report {
        machine: Machine::look(),
        message_bytes: arguments.message_bytes,
        seconds_per_round: arguments.seconds,
        pinned: placement.is_pinned(),
        notes: instructions.missing.iter().cloned().collect(),
        aims: report::aims_of(&sizes),
        sizes,
    };
    arguments.output.publish("instrumentation", &report, None)
}
