//! `bench rooms`: chat rooms end to end, beside a floor that only writes the rows.

mod crowd;
mod hall;
mod measuring;
mod report;
mod room;
mod shape;
mod speech;
mod stage;
mod writes;

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{placement, report::Output};
use crowd::Manner;
use report::Report;
use shape::Shape;
pub(crate) use speech::Speech;
use stage::Engine;

/// Descriptors that a process needs beside its connections.
const RESERVE: u64 = 300;

/// More than the gateway takes on of one connection would not be in flight but in its socket.
const MAX_WINDOW: u32 = 16;

/// The arguments of `bench rooms`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The databases, each under the processes that use it.
    #[arg(long, value_delimiter = ',', default_values = ["postgres", "sqlite"])]
    engines: Vec<Engine>,
    /// How many rooms with how many connections each.
    #[arg(long, value_delimiter = ',', value_name = "ROOMSxMEMBERS", default_values = ["1x100", "100x10"])]
    shapes: Vec<Shape>,
    /// How many connections of each room speak, at most; the others listen. [default: all]
    #[arg(long)]
    speakers: Option<usize>,
    /// How many messages each of them has in flight: said, and not yet heard by itself.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_WINDOW)))]
    window: u32,
    /// The length of a message's text, in bytes.
    #[arg(long, default_value_t = 128)]
    message_bytes: usize,
    /// Replicas of chat (and auth) on Postgres.
    #[arg(long, default_value_t = 1)]
    replicas: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How often Carillon and the floor are measured, in turns.
    #[arg(long, default_value_t = 5)]
    pairs: usize,
    /// A short run that shows that everything works, and no more: overrides seconds and pairs.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    output: Output,
}

/// Measures, and prints the report.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.quick {
        (arguments.seconds, arguments.pairs) = (0.3, 1);
    }
    let needed: usize = arguments.shapes.iter().map(|shape| shape.connections()).sum();
    let descriptors = placement::raise_descriptor_limit()?;
    ensure!(
        needed as u64 + RESERVE <= descriptors,
        "{needed} connections need more than {descriptors} descriptors"
    );
    // One thread: it waits while the load client or the floor runs.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let measure = |engine: &Engine| measuring::measure(&runtime, *engine, &arguments);
    let report = Report {
        message_bytes: arguments.message_bytes,
        window: arguments.window as usize,
        chat_replicas: arguments.replicas,
        seconds_per_round: arguments.seconds,
        engines: arguments.engines.iter().map(measure).collect::<Result<_>>()?,
    };
    arguments.output.publish("rooms", &report, None)
}

impl Arguments {
    fn manner(&self, shape: Shape) -> Manner {
        let speakers = self.speakers.unwrap_or(shape.members).min(shape.members);
        Manner { speakers, window: self.window as usize, bytes: self.message_bytes }
    }

    fn period(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}
