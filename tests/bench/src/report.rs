//! What a run has shown: a table in Markdown, and everything in JSON.

use std::fmt;

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::{fan_out::Round, idle::Idle, quartiles::Quartiles, server::Kind};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) connections: usize,
    pub(crate) message_bytes: usize,
    pub(crate) seconds_per_round: f64,
    /// Whether the server had a core for itself.
    pub(crate) pinned: bool,
    pub(crate) fan_out: Vec<FanOutReport>,
    pub(crate) idle: Comparison<Idle>,
}

/// Fan-out with so many messages in flight.
#[derive(Debug, Serialize)]
pub(crate) struct FanOutReport {
    pub(crate) in_flight: usize,
    #[serde(flatten)]
    pub(crate) rounds: Comparison<Round>,
}

/// Measurements of the floor and of the gateway, in pairs: those at the same place were made one after the other.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison<M> {
    pub(crate) floor: Vec<M>,
    /// Empty if only the floor was measured.
    pub(crate) gateway: Vec<M>,
}

/// Offsets have more digits in one round than in another; anything else that differs differs more.
const TOLERANCE: f64 = 0.02;

/// One figure of a measurement: its name, how to get it, and whether a ratio to the floor means something.
type Figure<M> = (&'static str, fn(&M) -> f64, Ratio);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ratio {
    ToFloor,
    /// Memory doesn't vary with the machine's speed, and the floor holds next to none.
    Meaningless,
}

const ROUND_FIGURES: [Figure<Round>; 6] = [
    ("deliveries per second", |round| round.deliveries_per_second, Ratio::ToFloor),
    ("server, CPU seconds per million deliveries", |round| round.server_cpu, Ratio::ToFloor),
    ("client, CPU seconds per million deliveries", |round| round.client_cpu, Ratio::ToFloor),
    ("publish to receipt, p50, µs", |round| round.p50, Ratio::ToFloor),
    ("publish to receipt, p99, µs", |round| round.p99, Ratio::ToFloor),
    ("deliveries per read", |round| round.deliveries_per_read, Ratio::ToFloor),
];

const IDLE_FIGURES: [Figure<Idle>; 4] = [
    ("resident memory per idle connection, KiB", |idle| idle.resident, Ratio::Meaningless),
    ("proportional memory per idle connection, KiB", |idle| idle.proportional, Ratio::Meaningless),
    ("server, CPU seconds per thousand handshakes", |idle| idle.handshake_cpu, Ratio::ToFloor),
    ("handshakes per second", |idle| idle.handshakes_per_second, Ratio::ToFloor),
];

impl<M> Comparison<M> {
    pub(crate) const fn new() -> Self {
        Self { floor: Vec::new(), gateway: Vec::new() }
    }

    /// The measurements of one server.
    pub(crate) fn of(&mut self, kind: Kind) -> &mut Vec<M> {
        match kind {
            Kind::Floor => &mut self.floor,
            Kind::Gateway => &mut self.gateway,
        }
    }

    /// The cells of one figure: floor, gateway, and the quartiles of the ratio pair by pair.
    fn cells(&self, figure: fn(&M) -> f64, ratio: Ratio) -> String {
        let floor = Quartiles::of(self.floor.iter().map(figure));
        let gateway = Quartiles::of(self.gateway.iter().map(figure));
        let pairs = self.floor.iter().zip(&self.gateway).filter(|_| ratio == Ratio::ToFloor);
        let ratio = Quartiles::of(pairs.map(|(floor, gateway)| figure(gateway) / figure(floor)));
        format!("{} | {} | {}", median(floor), median(gateway), spread(ratio))
    }
}

impl Comparison<Round> {
    /// # Errors
    /// If the gateway did not write the very bytes that the floor is made to write.
    pub(crate) fn ensure_same_bytes(&self) -> Result<()> {
        for (floor, gateway) in self.floor.iter().zip(&self.gateway) {
            let (floor, gateway) = (floor.bytes_per_delivery, gateway.bytes_per_delivery);
            let difference = (gateway / floor - 1.0).abs();
            ensure!(
                difference < TOLERANCE,
                "a delivery takes {floor:.1} bytes of the floor, {gateway:.1} of the gateway"
            );
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_fan_out(out)?;
        self.write_idle(out)
    }
}

impl Report {
    fn write_fan_out(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.fan_out.first() else { return Ok(()) };
        let Self { connections, message_bytes, .. } = self;
        let pairs = first.rounds.floor.len();
        writeln!(
            out,
            "Fan-out: {connections} connections to one channel, messages of {message_bytes} bytes; \
             medians of {pairs} pairs, of the ratio its quartiles too.\n"
        )?;
        writeln!(out, "| figure | in flight | floor | gateway | gateway ÷ floor |\n|---|--:|--:|--:|--:|")?;
        for (name, figure, ratio) in ROUND_FIGURES {
            for depth in &self.fan_out {
                writeln!(out, "| {name} | {} | {} |", depth.in_flight, depth.rounds.cells(figure, ratio))?;
            }
        }
        Ok(())
    }

    fn write_idle(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.idle.floor.first() else { return Ok(()) };
        let pairs = self.idle.floor.len();
        writeln!(out, "\nIdle: {} connections; medians of {pairs} pairs.\n", first.connections)?;
        writeln!(out, "| figure | floor | gateway | gateway ÷ floor |\n|---|--:|--:|--:|")?;
        for (name, figure, ratio) in IDLE_FIGURES {
            writeln!(out, "| {name} | {} |", self.idle.cells(figure, ratio))?;
        }
        Ok(())
    }
}

/// The middle, or a dash where nothing was measured.
pub(crate) fn median(quartiles: Option<Quartiles>) -> String {
    quartiles.map_or("–".to_owned(), |found| significant(found.median))
}

/// The middle of ratios, with their quartiles.
pub(crate) fn spread(quartiles: Option<Quartiles>) -> String {
    let Some(Quartiles { lower, median, upper }) = quartiles else { return "–".to_owned() };
    format!("{}× ({}–{})", significant(median), significant(lower), significant(upper))
}

/// Three digits are more than such measurements are good for.
fn significant(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        0.1.. => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
