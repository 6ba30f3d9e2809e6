//! `bench run`: floor and gateway in turns, and a report.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};

use crate::{
    fan_out::FanOut,
    idle,
    placement::{self, Placement},
    report::{Comparison, FanOutReport, Report},
    server::Kind,
};

/// Descriptors that a process needs beside its connections.
const RESERVE: u64 = 100;

/// The arguments of `bench run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Connections that every message is delivered to.
    #[arg(long, default_value_t = 1_000)]
    connections: usize,
    /// Messages in flight, one measurement for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    in_flight: Vec<usize>,
    /// Bytes of JSON in a message, before its place in the channel is spliced in.
    #[arg(long, default_value_t = 128)]
    message_bytes: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 2.5)]
    seconds: f64,
    /// Pairs of measurements, floor and gateway in turns.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Idle connections whose memory is measured, as far as the limit of descriptors allows.
    #[arg(long, default_value_t = 10_000)]
    idle: usize,
    /// Pairs of measurements of idle connections.
    #[arg(long, default_value_t = 3)]
    idle_pairs: usize,
    /// Let the scheduler choose cores, instead of keeping the first one for the server.
    #[arg(long)]
    unpinned: bool,
    /// Measure the floor alone.
    #[arg(long)]
    floor_only: bool,
    /// A short run that shows that everything works, and no more: overrides seconds, pairs and idle.
    #[arg(long)]
    quick: bool,
    /// Write every measurement to this file, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures, and prints the report.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    if arguments.quick {
        arguments.seconds = 0.3;
        (arguments.pairs, arguments.idle_pairs) = (2, 1);
        arguments.idle = arguments.idle.min(1_000);
    }
    arguments.limit(placement::raise_descriptor_limit()?)?;
    let placement = Placement::new(!arguments.unpinned)?;
    let report = Report {
        connections: arguments.connections,
        message_bytes: arguments.message_bytes,
        seconds_per_round: arguments.seconds,
        pinned: placement.is_pinned(),
        fan_out: arguments.fan_out(&placement)?,
        idle: arguments.idle(&placement)?,
    };
    print!("{report}");
    if let Some(file) = &arguments.json {
        let json = serde_json::to_vec_pretty(&report)?;
        fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

impl Arguments {
    /// This process holds the clients of all servers at once in fan-out, and of one when they are idle.
    fn limit(&mut self, descriptors: u64) -> Result<()> {
        let room = usize::try_from(descriptors.saturating_sub(RESERVE)).unwrap_or(usize::MAX);
        let needed = self.connections.saturating_mul(self.kinds().len());
        ensure!(needed <= room, "{needed} connections need more than {descriptors} descriptors");
        if self.idle > room {
            eprintln!("{descriptors} descriptors allow {room} idle connections instead of {}", self.idle);
            self.idle = room;
        }
        Ok(())
    }

    fn kinds(&self) -> &'static [Kind] {
        if self.floor_only { &[Kind::Floor] } else { &[Kind::Floor, Kind::Gateway] }
    }

    fn fan_out(&self, placement: &Placement) -> Result<Vec<FanOutReport>> {
        let depths = self.in_flight.iter();
        let mut reports: Vec<_> =
            depths.map(|depth| FanOutReport { in_flight: *depth, rounds: Comparison::new() }).collect();
        let start = |kind: &Kind| FanOut::new(*kind, placement, self.connections, self.message_bytes);
        let mut servers: Vec<_> = self.kinds().iter().map(start).collect::<Result<_>>()?;
        for pair in 1..=self.pairs {
            for report in &mut reports {
                eprintln!("fan-out, pair {pair} of {}, {} in flight", self.pairs, report.in_flight);
                for server in &mut servers {
                    let round = server.measure(report.in_flight, Duration::from_secs_f64(self.seconds));
                    report.rounds.of(server.kind()).push(round?);
                }
            }
        }
        reports.iter().try_for_each(|report| report.rounds.ensure_same_bytes())?;
        Ok(reports)
    }

    fn idle(&self, placement: &Placement) -> Result<Comparison<idle::Idle>> {
        let mut comparison = Comparison::new();
        for pair in 1..=self.idle_pairs {
            for kind in self.kinds() {
                eprintln!("idle, pair {pair} of {}, {}", self.idle_pairs, kind.name());
                let idle = idle::measure(*kind, placement, self.idle);
                comparison.of(*kind).push(idle?);
            }
        }
        Ok(comparison)
    }
}
