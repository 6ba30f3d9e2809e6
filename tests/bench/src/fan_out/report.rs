//! What fan-out has shown.

use std::fmt;

use anyhow::{Result, ensure};
use serde::Serialize;

use super::Round;
use crate::{
    machine::{Machine, disturbance},
    report::{Aim, Bar, Chart, Comparison, Group, Table, aims, median, spread},
    servers::Kind,
};

/// Offsets have more digits in one round than in another; anything else that differs differs more.
const TOLERANCE: f64 = 0.02;

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

/// Fan-out to so many connections.
#[derive(Debug, Serialize)]
pub(crate) struct SizeReport {
    pub(crate) connections: usize,
    pub(crate) depths: Vec<DepthReport>,
    /// Peers that broke off a measurement, once for each: one that loses a message does.
    pub(crate) broken_off: Vec<Kind>,
}

/// Fan-out with so many messages in flight.
#[derive(Debug, Serialize)]
pub(crate) struct DepthReport {
    pub(crate) in_flight: usize,
    pub(crate) rounds: Comparison<Round>,
}

/// A figure of a round, and its name.
type Figure = (&'static str, fn(&Round) -> f64);

const RATIOS: [Figure; 5] = [
    ("deliveries per second", |round| round.deliveries_per_second),
    ("p50", |round| round.p50),
    ("p99", |round| round.p99),
    ("deliveries per read", |round| round.deliveries_per_read),
    ("CPU of the client", |round| round.client_cpu),
];

/// # Errors
/// If the gateway did not write the very bytes that the floor is made to write. Peers wrap messages as they do.
pub(crate) fn ensure_same_bytes(rounds: &Comparison<Round>) -> Result<()> {
    for (floor, gateway) in rounds.of(Kind::Floor).iter().zip(rounds.of(Kind::Gateway)) {
        let (floor, gateway) = (floor.bytes_per_delivery, gateway.bytes_per_delivery);
        let difference = (gateway / floor - 1.0).abs();
        ensure!(
            difference < TOLERANCE,
            "a delivery takes {floor:.1} bytes of the floor, {gateway:.1} of the gateway"
        );
    }
    Ok(())
}

/// CPU per delivery at 500 connections, and how it grows with their number.
pub(super) fn aims_of(sizes: &[SizeReport]) -> Vec<Aim> {
    let ratio = |connections: usize, in_flight: usize| {
        let size = sizes.iter().find(|size| size.connections == connections)?;
        let depth = size.depths.iter().find(|depth| depth.in_flight == in_flight)?;
        Some(depth.rounds.to_floor(Kind::Gateway, |round| round.server_cpu)?.median)
    };
    let mut aims = Vec::new();
    for (in_flight, at_most) in [(1, 1.25), (16, 1.5), (64, 1.5)] {
        let Some(small) = ratio(500, in_flight) else { continue };
        let what = format!("CPU per delivery ÷ floor, 500 connections, {in_flight} in flight");
        aims.push(Aim { what, measured: small, at_most, unit: "×" });
        let Some(large) = ratio(5_000, in_flight) else { continue };
        let what = format!("that ratio at 5,000 connections ÷ at 500, {in_flight} in flight");
        aims.push(Aim { what, measured: large / small, at_most: 1.3, unit: "×" });
    }
    aims
}

impl Report {
    pub(super) fn chart(&self) -> Chart {
        let groups = self.sizes.iter().flat_map(|size| {
            size.depths.iter().map(|depth| Group {
                name: format!("{}, {} in flight", size.connections, depth.in_flight),
                bars: depth.bars(),
            })
        });
        Chart {
            title: "Fan-out: CPU of the server per delivery, µs, by connections and messages in flight"
                .to_owned(),
            groups: groups.collect(),
        }
    }

    fn rows(&self) -> impl Iterator<Item = (usize, &DepthReport)> {
        self.sizes.iter().flat_map(|size| size.depths.iter().map(|depth| (size.connections, depth)))
    }

    fn write_cpu(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.rows().any(|(_, depth)| depth.instructions(Kind::Floor).is_some());
        let mut heads =
            vec!["CPU of the server per delivery, µs", "in flight", "floor", "gateway", "gateway ÷ floor"];
        heads.extend(counts.then_some("instructions, gateway ÷ floor"));
        let mut table = Table::new(heads);
        for (connections, depth) in self.rows() {
            let cpu = |kind| depth.rounds.figure(kind, |round| round.server_cpu);
            let ratio = depth.rounds.to_floor(Kind::Gateway, |round| round.server_cpu);
            let mut cells = vec![
                format!("{connections} connections"),
                depth.in_flight.to_string(),
                median(cpu(Kind::Floor)),
                median(cpu(Kind::Gateway)),
                spread(ratio),
            ];
            cells.extend(counts.then(|| spread(depth.instructions_to_floor())));
            table.row(cells);
        }
        writeln!(out, "{table}")
    }

    fn write_ratios(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["gateway ÷ floor", "in flight"].into_iter();
        let mut table = Table::new(heads.chain(RATIOS.iter().map(|(name, _)| *name)));
        for (connections, depth) in self.rows() {
            let first = [format!("{connections} connections"), depth.in_flight.to_string()];
            let ratios =
                RATIOS.iter().map(|(_, figure)| spread(depth.rounds.to_floor(Kind::Gateway, figure)));
            table.row(first.into_iter().chain(ratios));
        }
        writeln!(out, "{table}")
    }
}

impl DepthReport {
    /// CPU per delivery of each server.
    pub(crate) fn bars(&self) -> Vec<Bar> {
        let bar = |kind: Kind| {
            let value = self.rounds.figure(kind, |round| round.server_cpu)?;
            Some(Bar { name: kind.name(), value })
        };
        self.rounds.kinds().filter_map(bar).collect()
    }

    fn instructions(&self, kind: Kind) -> Option<f64> {
        self.rounds.of(kind).iter().find_map(|round| round.instructions)
    }

    fn instructions_to_floor(&self) -> Option<crate::report::Quartiles> {
        self.rounds.to_floor(Kind::Gateway, |round| round.instructions.unwrap_or(f64::NAN))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.rows().map(|(_, depth)| depth.rounds.pairs()).max().unwrap_or(0);
        writeln!(
            out,
            "Fan-out: all connections on one channel, messages of {} bytes; medians of {pairs} pairs of {} s, of ratios \
             their quartiles too. {}, {} cores{}.\n",
            self.message_bytes,
            self.seconds_per_round,
            self.machine.processor,
            self.machine.cores,
            if self.pinned { ", one of them for the server alone" } else { "" }
        )?;
        self.write_cpu(out)?;
        self.write_ratios(out)?;
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        let rounds = self.rows().flat_map(|(_, depth)| depth.rounds.all());
        writeln!(out, "{}", disturbance(rounds.map(|round| round.others)))?;
        write!(out, "{}", aims(&self.aims))
    }
}
