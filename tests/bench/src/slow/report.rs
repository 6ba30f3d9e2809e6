//! What slow clients and a large channel have shown.

use std::fmt;

use serde::Serialize;

use super::{among::Among, large::Large};
use crate::{
    machine::{Machine, disturbance},
    report::{Comparison, Quartiles, Table, median, spread},
};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Whether the server had a core for itself.
    pub(crate) pinned: bool,
    pub(crate) fast: usize,
    pub(crate) message_bytes: usize,
    pub(crate) listeners: usize,
    pub(crate) interval_ms: u64,
    pub(crate) large_interval_ms: u64,
    pub(crate) notes: Vec<String>,
    pub(crate) among: Vec<Among>,
    pub(crate) large: LargeReport,
}

/// A channel of so many connections.
#[derive(Debug, Serialize)]
pub(crate) struct LargeReport {
    pub(crate) connections: usize,
    pub(crate) measurements: Comparison<Large>,
}

impl Report {
    fn write_among(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fast, message_bytes, listeners, interval_ms, .. } = self;
        writeln!(
            out,
            "Slow clients: {fast} clients take messages of {message_bytes} bytes as fast as they come, 16 in flight; then one \
             that reads nothing is among them, until it is closed with 1013. Meanwhile another channel with {listeners} \
             listeners has a message every {interval_ms} ms. Medians of {} pairs, of ratios their quartiles too.\n",
            self.among.len()
        )?;
        let figure = |figure: fn(&Among) -> f64| Quartiles::of(self.among.iter().map(figure));
        let milliseconds = |of: fn(&Among) -> f64| median(figure(of).map(Quartiles::thousandth));
        let mut table =
            Table::new(["one slow client", "without, p99, ms", "with, p99, ms", "with ÷ without"]);
        table.row([
            "the fast ones".to_owned(),
            milliseconds(|among| among.fast_p99),
            milliseconds(|among| among.fast_p99_with_slow),
            spread(figure(|among| among.fast_p99_with_slow / among.fast_p99)),
        ]);
        table.row([
            "the other channel".to_owned(),
            milliseconds(|among| among.busy.p99),
            milliseconds(|among| among.slow.p99),
            spread(figure(|among| among.slow.p99 / among.busy.p99)),
        ]);
        writeln!(out, "{table}")?;
        writeln!(
            out,
            "Without any traffic beside it the other channel's p99 is {} ms. The slow client is closed after {} s.\n",
            milliseconds(|among| among.calm.p99),
            median(figure(|among| among.closed_after))
        )
    }

    fn write_large(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LargeReport { connections, measurements } = &self.large;
        writeln!(
            out,
            "A large channel: {connections} deliveries per message, a message every {} ms, beside that other channel.\n",
            self.large_interval_ms
        )?;
        let mut table = Table::new([
            "server",
            "the large channel: p50, p99, ms",
            "the other, calm: p50, p99, ms",
            "disturbed: p50, p99, ms",
            "longest, ms",
            "p99, disturbed ÷ calm",
        ]);
        for kind in measurements.kinds() {
            let milliseconds = |figure: fn(&Large) -> f64| {
                median(measurements.figure(kind, figure).map(Quartiles::thousandth))
            };
            let both = |p50: fn(&Large) -> f64, p99: fn(&Large) -> f64| {
                format!("{}, {}", milliseconds(p50), milliseconds(p99))
            };
            table.row([
                kind.name().to_owned(),
                both(|large| large.p50, |large| large.p99),
                both(|large| large.calm.p50, |large| large.calm.p99),
                both(|large| large.disturbed.p50, |large| large.disturbed.p99),
                milliseconds(|large| large.disturbed.longest),
                spread(measurements.figure(kind, |large| large.disturbed.p99 / large.calm.p99)),
            ]);
        }
        writeln!(out, "{table}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_among(out)?;
        self.write_large(out)?;
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        let among = self.among.iter().map(|among| among.others);
        let large = self.large.measurements.all().map(|large| large.others);
        writeln!(out, "{}", disturbance(among.chain(large)))
    }
}
