//! `bench peers`: floor, gateway and its peers in turns, with the same load client.

mod report;

use anyhow::Result;

use crate::{
    fan_out::{Manner, measure},
    instructions::Instructions,
    machine::Machine,
    placement::{self, Placement},
    report::Output,
    servers::{INSTALL_PEERS, Kind},
};
use report::Report;

/// The arguments of `bench peers`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Connections that every message is delivered to.
    #[arg(long, default_value_t = 500)]
    connections: usize,
    /// Messages in flight, one measurement for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16])]
    in_flight: Vec<usize>,
    /// Bytes of JSON in a message, before its place in the channel is spliced in.
    #[arg(long, default_value_t = 128)]
    message_bytes: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// How often each is measured, in turns.
    #[arg(long, default_value_t = 7)]
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
        (arguments.seconds, arguments.pairs) = (0.2, 1);
        arguments.connections = arguments.connections.min(50);
    }
    let room = placement::room_for_connections()?;
    let placement = Placement::new(!arguments.unpinned)?;
    let instructions = Instructions::look();
    let (installed, missing): (Vec<Kind>, Vec<Kind>) =
        Kind::PEERS.iter().partition(|kind| kind.is_installed());
    let mut notes: Vec<String> = instructions.missing.iter().cloned().collect();
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|kind| kind.name()).collect();
        notes.push(format!("Left out, because not installed ({INSTALL_PEERS}): {}.", names.join(", ")));
    }
    let manner = Manner {
        kinds: [Kind::Floor, Kind::Gateway].into_iter().chain(installed).collect(),
        in_flight: arguments.in_flight.clone(),
        message_bytes: arguments.message_bytes,
        seconds: arguments.seconds,
        pairs: arguments.pairs,
    };
    let size = measure(&manner, &placement, &instructions, arguments.connections, room)?;
    for kind in Kind::PEERS {
        let count = size.broken_off.iter().filter(|broken| **broken == kind).count();
        if count > 0 {
            let name = kind.name();
            notes.push(format!("{name} lost messages in {count} of its measurements, which are left out."));
        }
    }
    let report = Report {
        machine: Machine::look(),
        message_bytes: arguments.message_bytes,
        seconds_per_round: arguments.seconds,
        pinned: placement.is_pinned(),
        left_out: missing,
        notes,
        aims: report::aims_of(&size),
        size,
    };
    arguments.output.publish("peers", &report, Some(report.chart().svg()))
}
