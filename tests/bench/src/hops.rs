//! `bench hops`: from HTTP through gateway, service, database, bus and gateway to many clients.

mod journey;
mod poster;
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

/// The arguments of `bench hops`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Clients that every message is delivered to.
    #[arg(long, default_value_t = 1_000)]
    clients: usize,
    /// The length of a message's text, in bytes.
    #[arg(long, default_value_t = 128)]
    message_bytes: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How often it is measured.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// A short run that shows that everything works, and no more.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

/// Measures, and publishes the report.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.quick {
        (arguments.seconds, arguments.pairs, arguments.clients) = (0.3, 1, arguments.clients.min(50));
    }
    let room = placement::room_for_connections()?;
    let journeys = journey::measure(&arguments)?;
    // The bare loop, with the same clients on the same machine: what the last hop takes at least.
    let manner = Manner {
        kinds: vec![Kind::Floor],
        in_flight: vec![1],
        message_bytes: arguments.message_bytes,
        seconds: arguments.seconds.min(1.0),
        pairs: arguments.pairs,
    };
    let instructions = Instructions { missing: Some(String::new()) };
    let floor = measure(&manner, &Placement::new(false)?, &instructions, arguments.clients, room)?;
    let report = Report {
        machine: Machine::look(),
        clients: arguments.clients,
        message_bytes: arguments.message_bytes,
        seconds_per_round: arguments.seconds,
        aims: report::aims_of(&journeys),
        journeys,
        floor,
    };
    arguments.output.publish("hops", &report, None)
}
