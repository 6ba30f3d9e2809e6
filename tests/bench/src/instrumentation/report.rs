//! What instrumentation costs.

use std::fmt;

use serde::Serialize;

use crate::{
    fan_out::{DepthReport, Round, SizeReport},
    machine::{Machine, disturbance},
    report::{Aim, Quartiles, Table, aims, median, spread},
    servers::Kind,
};

/// With 64 messages in flight it may cost so much more.
const AT_MOST: f64 = 1.15;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) message_bytes: usize,
    pub(crate) seconds_per_round: f64,
    /// Whether the server had a core for itself.
    pub(crate) pinned: bool,
    pub(crate) notes: Vec<String>,
    pub(crate) aims: Vec<Aim>,
    pub(crate) sizes: Vec<SizeReport>,
}

/// Within the noise with one message in flight: of the pairs of measurements a quarter at least shows nothing. A
/// bound with 64.
pub(super) fn aims_of(sizes: &[SizeReport]) -> Vec<Aim> {
    let aims = sizes.iter().flat_map(|size| {
        size.depths.iter().filter_map(|depth| {
            let what = format!("CPU per delivery ÷ without, {} connections", size.connections);
            let ratio = cost(depth, |round| round.server_cpu)?;
            match depth.in_flight {
                1 => Some(Aim {
                    what: format!("{what}, 1 in flight: the lower quartile"),
                    measured: ratio.lower,
                    at_most: 1.0,
                    unit: "×",
                }),
                64 => Some(Aim {
                    what: format!("{what}, 64 in flight"),
                    measured: ratio.median,
                    at_most: AT_MOST,
                    unit: "×",
                }),
                _ => None,
            }
        })
    });
    aims.collect()
}

/// A figure with instrumentation by that without, pair by pair.
fn cost(depth: &DepthReport, figure: fn(&Round) -> f64) -> Option<Quartiles> {
    depth.rounds.ratio(Kind::Gateway, Kind::Uninstrumented, figure)
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let depths = self.sizes.iter().flat_map(|size| &size.depths);
        let pairs = depths.map(|depth| depth.rounds.pairs()).max().unwrap_or(0);
        writeln!(
            out,
            "Instrumentation: a gateway that counts and times its deliveries beside one that doesn't, all connections on one \
             channel, messages of {} bytes; medians of {pairs} pairs of {} s, of ratios their quartiles too.\n",
            self.message_bytes, self.seconds_per_round
        )?;
        let mut table = Table::new([
            "connections",
            "in flight",
            "CPU per delivery without, µs",
            "with, µs",
            "with ÷ without",
            "instructions",
            "deliveries per second",
            "p99",
        ]);
        for size in &self.sizes {
            for depth in &size.depths {
                let cpu = |kind| median(depth.rounds.figure(kind, |round| round.server_cpu));
                let instructions = cost(depth, |round| round.instructions.unwrap_or(f64::NAN));
                table.row([
                    size.connections.to_string(),
                    depth.in_flight.to_string(),
                    cpu(Kind::Uninstrumented),
                    cpu(Kind::Gateway),
                    spread(cost(depth, |round| round.server_cpu)),
                    spread(instructions.filter(|ratio| !ratio.median.is_nan())),
                    spread(cost(depth, |round| round.deliveries_per_second)),
                    spread(cost(depth, |round| round.p99)),
                ]);
            }
        }
        writeln!(out, "{table}")?;
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        let rounds =
            self.sizes.iter().flat_map(|size| size.depths.iter().flat_map(|depth| depth.rounds.all()));
        writeln!(out, "{}", disturbance(rounds.map(|round| round.others)))?;
        write!(out, "{}", aims(&self.aims))
    }
}
