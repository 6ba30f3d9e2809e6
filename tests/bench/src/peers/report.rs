//! What the peers have shown.

use std::fmt;

use serde::Serialize;

use crate::{
    fan_out::{Round, SizeReport},
    machine::{Machine, disturbance},
    report::{Aim, Chart, Group, Table, aims, median, spread},
    servers::Kind,
};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) message_bytes: usize,
    pub(crate) seconds_per_round: f64,
    /// Whether the server had a core for itself.
    pub(crate) pinned: bool,
    /// Peers that are not installed.
    pub(crate) left_out: Vec<Kind>,
    pub(crate) notes: Vec<String>,
    pub(crate) aims: Vec<Aim>,
    pub(crate) size: SizeReport,
}

/// Less CPU per delivery than every peer.
pub(super) fn aims_of(size: &SizeReport) -> Vec<Aim> {
    let aims = size.depths.iter().flat_map(|depth| {
        let peers = depth.rounds.kinds().filter(|kind| Kind::PEERS.contains(kind));
        peers.filter_map(|peer| {
            let ratio = depth.rounds.ratio(Kind::Gateway, peer, |round| round.server_cpu)?;
            let what = format!("CPU per delivery ÷ {}, {} in flight", peer.name(), depth.in_flight);
            Some(Aim { what, measured: ratio.median, at_most: 1.0, unit: "×" })
        })
    });
    aims.collect()
}

impl Report {
    pub(super) fn chart(&self) -> Chart {
        let group = |in_flight: usize, bars| Group { name: format!("{in_flight} in flight"), bars };
        Chart {
            title: format!("CPU of the server per delivery to {} connections, µs", self.size.connections),
            groups: self.size.depths.iter().map(|depth| group(depth.in_flight, depth.bars())).collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.size.depths.iter().map(|depth| depth.rounds.pairs()).max().unwrap_or(0);
        writeln!(
            out,
            "Peers: one channel with {} connections, messages of {} bytes; medians of {pairs} rounds of {} s, of ratios \
             their quartiles too. Peers check no tokens and keep no log.\n",
            self.size.connections, self.message_bytes, self.seconds_per_round
        )?;
        let mut table = Table::new([
            "server",
            "in flight",
            "CPU per delivery, µs",
            "÷ floor",
            "of NATS or Redis, µs",
            "deliveries per second",
            "p50, µs",
            "p99, µs",
            "bytes",
        ]);
        for depth in &self.size.depths {
            for kind in depth.rounds.kinds() {
                let figure = |figure: fn(&Round) -> f64| median(depth.rounds.figure(kind, figure));
                table.row([
                    kind.name().to_owned(),
                    depth.in_flight.to_string(),
                    figure(|round| round.server_cpu),
                    spread(depth.rounds.to_floor(kind, |round| round.server_cpu)),
                    figure(|round| round.carrier_cpu),
                    figure(|round| round.deliveries_per_second),
                    figure(|round| round.p50),
                    figure(|round| round.p99),
                    figure(|round| round.bytes_per_delivery),
                ]);
            }
        }
        writeln!(out, "{table}")?;
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        let rounds = self.size.depths.iter().flat_map(|depth| depth.rounds.all());
        writeln!(out, "{}", disturbance(rounds.map(|round| round.others)))?;
        write!(out, "{}", aims(&self.aims))
    }
}
