//! What storms have shown.

use std::fmt;

use serde::Serialize;

use super::measuring::{Case, Storm};
use crate::{
    machine::{Machine, disturbance},
    report::{Aim, Quartiles, Table, aims, median, spread},
};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Whether the gateway had a core for itself.
    pub(crate) pinned: bool,
    pub(crate) clients: usize,
    pub(crate) channels: usize,
    pub(crate) missed: usize,
    pub(crate) listeners: usize,
    pub(crate) interval_ms: u64,
    pub(crate) notes: Vec<String>,
    pub(crate) aims: Vec<Aim>,
    pub(crate) cases: Vec<CaseReport>,
}

/// The storms of one case.
#[derive(Debug, Serialize)]
pub(crate) struct CaseReport {
    pub(crate) case: Case,
    pub(crate) storms: Vec<Storm>,
}

impl CaseReport {
    fn figure(&self, figure: fn(&Storm) -> f64) -> Option<Quartiles> {
        Quartiles::of(self.storms.iter().map(figure))
    }
}

fn slowdown(storm: &Storm) -> f64 {
    storm.stormy.p99 / storm.calm.p99
}

/// What the undisturbed channel notices.
pub(super) fn aims_of(cases: &[CaseReport]) -> Vec<Aim> {
    let aim = |report: &CaseReport| {
        let measured = report.figure(slowdown)?.median;
        let what = format!("p99 of an undisturbed channel, storm ÷ calm, {}", report.case.name());
        Some(Aim { what, measured, at_most: 5.0, unit: "×" })
    };
    cases.iter().filter_map(aim).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, channels, missed, listeners, interval_ms, .. } = self;
        let pairs = self.cases.iter().map(|report| report.storms.len()).max().unwrap_or(0);
        writeln!(
            out,
            "Storm: {clients} clients of {channels} channels come back at once, each to {missed} missed events: all recovered, \
             once, in order. Meanwhile an undisturbed channel with {listeners} listeners has a message every {interval_ms} ms. \
             Medians of {pairs} pairs, of ratios their quartiles too.\n"
        )?;
        let mut table = Table::new([
            "storm",
            "seconds",
            "clients per second",
            "CPU seconds per thousand",
            "questions to the log",
            "calm: p50, p99, ms",
            "storm: p50, p99, ms",
            "longest, ms",
            "p99, storm ÷ calm",
        ]);
        for report in &self.cases {
            let milliseconds =
                |figure: fn(&Storm) -> f64| median(report.figure(figure).map(Quartiles::thousandth));
            table.row([
                report.case.name().to_owned(),
                median(report.figure(|storm| storm.seconds)),
                median(report.figure(|storm| storm.clients_per_second)),
                median(report.figure(|storm| storm.gateway_cpu)),
                median(report.figure(|storm| storm.asked as f64)),
                format!("{}, {}", milliseconds(|storm| storm.calm.p50), milliseconds(|storm| storm.calm.p99)),
                format!(
                    "{}, {}",
                    milliseconds(|storm| storm.stormy.p50),
                    milliseconds(|storm| storm.stormy.p99)
                ),
                milliseconds(|storm| storm.stormy.longest),
                spread(report.figure(slowdown)),
            ]);
        }
        writeln!(out, "{table}")?;
        self.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        let storms = self.cases.iter().flat_map(|report| &report.storms);
        writeln!(out, "{}", disturbance(storms.map(|storm| storm.others)))?;
        write!(out, "{}", aims(&self.aims))
    }
}
