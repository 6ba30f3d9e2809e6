//! What idle connections have shown.

use std::fmt;

use serde::Serialize;

use super::measuring::Idle;
use crate::{
    machine::{Machine, disturbance},
    report::{Aim, Comparison, Table, aims, median, spread},
    servers::{Kind, Seat},
};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Whether the server had a core for itself.
    pub(crate) pinned: bool,
    pub(crate) notes: Vec<String>,
    pub(crate) aims: Vec<Aim>,
    pub(crate) seats: Vec<SeatReport>,
}

/// So many connections with a seat.
#[derive(Debug, Serialize)]
pub(crate) struct SeatReport {
    pub(crate) connections: usize,
    pub(crate) seat: Seat,
    pub(crate) measurements: Comparison<Idle>,
}

/// What each connection listens to.
pub(super) fn name(seat: Seat) -> &'static str {
    match seat {
        Seat::Shared(_) => "on a shared channel",
        Seat::Own => "a channel of its own each",
    }
}

/// The memory of a connection.
pub(super) fn aims_of(seats: &[SeatReport]) -> Vec<Aim> {
    let aim = |report: &SeatReport| {
        let measured = report.measurements.figure(Kind::Gateway, |idle| idle.resident)?.median;
        let at_most = if report.seat == Seat::Own { 9.0 } else { 4.0 };
        let what = format!(
            "resident memory per connection, {} connections {}",
            report.connections,
            name(report.seat)
        );
        Some(Aim { what, measured, at_most, unit: " KiB" })
    };
    seats.iter().filter_map(aim).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.seats.iter().map(|seat| seat.measurements.pairs()).max().unwrap_or(0);
        writeln!(
            out,
            "Idle: authenticated connections; medians of {pairs} pairs, of ratios their quartiles too.\n"
        )?;
        let mut table = Table::new([
            "idle connections",
            "resident, KiB",
            "proportional, KiB",
            "of the floor, KiB",
            "handshakes per CPU second",
            "of the floor",
            "gateway ÷ floor",
        ]);
        for SeatReport { connections, seat, measurements } in &self.seats {
            let figure = |kind, figure: fn(&Idle) -> f64| median(measurements.figure(kind, figure));
            table.row([
                format!("{connections} {}", name(*seat)),
                figure(Kind::Gateway, |idle| idle.resident),
                figure(Kind::Gateway, |idle| idle.proportional),
                figure(Kind::Floor, |idle| idle.resident),
                figure(Kind::Gateway, |idle| idle.handshakes_per_cpu_second),
                figure(Kind::Floor, |idle| idle.handshakes_per_cpu_second),
                spread(measurements.to_floor(Kind::Gateway, |idle| idle.handshakes_per_cpu_second)),
            ]);
        }
        writeln!(out, "{table}")?;
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        let all = self.seats.iter().flat_map(|seat| seat.measurements.all());
        writeln!(out, "{}", disturbance(all.map(|idle| idle.others)))?;
        write!(out, "{}", aims(&self.aims))
    }
}
