//! What the way through every hop has shown.

use std::fmt;

use serde::Serialize;

use super::journey::Journey;
use crate::{
    fan_out::{Round, SizeReport},
    machine::{Machine, disturbance},
    report::{Aim, Quartiles, Table, aims, median, spread},
    servers::Kind,
};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) clients: usize,
    pub(crate) message_bytes: usize,
    pub(crate) seconds_per_round: f64,
    pub(crate) aims: Vec<Aim>,
    pub(crate) journeys: Vec<Journey>,
    pub(crate) floor: SizeReport,
}

fn width(journey: &Journey) -> f64 {
    journey.p99 / journey.p50
}

/// How much later than most the last clients get a message.
pub(super) fn aims_of(journeys: &[Journey]) -> Vec<Aim> {
    let aim = |found: Quartiles| {
        let what = "publish to receipt through every hop, p99 ÷ p50".to_owned();
        Aim { what, measured: found.median, at_most: 3.0, unit: "×" }
    };
    Quartiles::of(journeys.iter().map(width)).map(aim).into_iter().collect()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "Every hop: HTTP, gateway, service, Postgres (which waits for the disk), NATS, gateway, {} clients; one message of \
             {} bytes at a time; medians of {} rounds of {} s, of ratios their quartiles too.\n",
            self.clients,
            self.message_bytes,
            self.journeys.len(),
            self.seconds_per_round
        )?;
        let figure = |figure: fn(&Journey) -> f64| Quartiles::of(self.journeys.iter().map(figure));
        let milliseconds = |found: Option<Quartiles>| median(found.map(Quartiles::thousandth));
        let floor = |figure: fn(&Round) -> f64| self.floor.depths[0].rounds.figure(Kind::Floor, figure);
        let mut table = Table::new(["publish to receipt", "p50, ms", "p99, ms", "p99 ÷ p50"]);
        table.row([
            "through every hop".to_owned(),
            milliseconds(figure(|journey| journey.p50)),
            milliseconds(figure(|journey| journey.p99)),
            spread(figure(width)),
        ]);
        table.row([
            "the last hop on the floor".to_owned(),
            milliseconds(floor(|round| round.p50)),
            milliseconds(floor(|round| round.p99)),
            spread(floor(|round| round.p99 / round.p50)),
        ]);
        writeln!(out, "{table}")?;
        writeln!(out, "{}", disturbance(self.journeys.iter().map(|journey| journey.others)))?;
        write!(out, "{}", aims(&self.aims))
    }
}
