//! `bench idle`: what connections cost that only listen, and what it takes to open them.

mod measuring;
mod report;

use anyhow::Result;

use crate::{
    machine::Machine,
    placement::{self, Placement},
    report::{Comparison, Output},
    servers::{Kind, Seat},
};
use measuring::measure;
use report::{Report, SeatReport};

/// Some connections that connect first, so that what a server sets up once is not counted.
const FIRST: usize = 1;

/// The arguments of `bench idle`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Connections, as far as the limit of descriptors allows.
    #[arg(long, value_delimiter = ',', default_values_t = [5_000, 20_000])]
    connections: Vec<usize>,
    /// Pairs of measurements, floor and gateway in turns.
    #[arg(long, default_value_t = 3)]
    pairs: usize,
    /// Let the scheduler choose cores, instead of keeping the first one for the server.
    #[arg(long)]
    unpinned: bool,
    /// Measure the floor alone.
    #[arg(long)]
    floor_only: bool,
    /// A short run that shows that everything works, and no more: one pair with no more than 200 connections.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

/// Measures, and publishes the report.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.quick {
        arguments.pairs = 1;
        arguments.connections.iter_mut().for_each(|connections| *connections = (*connections).min(200));
        arguments.connections.dedup();
    }
    let room = placement::room_for_connections()?.saturating_sub(FIRST);
    let placement = Placement::new(!arguments.unpinned)?;
    let (mut notes, mut seats) = (Vec::new(), Vec::new());
    for wanted in &arguments.connections {
        let connections = (*wanted).min(room);
        if connections < *wanted {
            notes.push(placement::cut_note(*wanted, connections)?);
        }
        for seat in [Seat::Shared("bench"), Seat::Own] {
            seats.push(arguments.pairs_of(&placement, seat, connections)?);
        }
    }
    let aims = report::aims_of(&seats);
    let report = Report { machine: Machine::look(), pinned: placement.is_pinned(), notes, aims, seats };
    arguments.output.publish("idle", &report, None)
}

impl Arguments {
    fn pairs_of(&self, placement: &Placement, seat: Seat, connections: usize) -> Result<SeatReport> {
        let kinds: &[Kind] = if self.floor_only { &[Kind::Floor] } else { &[Kind::Floor, Kind::Gateway] };
        let mut measurements = Comparison::default();
        for pair in 1..=self.pairs {
            for kind in kinds {
                let (pairs, name) = (self.pairs, kind.name());
                eprintln!(
                    "{connections} idle connections, {}, pair {pair} of {pairs}, {name}",
                    report::name(seat)
                );
                measurements.push(*kind, measure(*kind, placement, seat, connections)?);
            }
        }
        Ok(SeatReport { connections, seat, measurements })
    }
}
