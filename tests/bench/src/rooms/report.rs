//! What the rooms have shown: tables in Markdown.

use std::{collections::BTreeSet, fmt};

use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::{
    measuring::{Round, Served},
    shape::Shape,
    stage::Engine,
};
use crate::report::{Quartiles, median, spread};

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) message_bytes: usize,
    pub(crate) window: usize,
    pub(crate) chat_replicas: usize,
    pub(crate) seconds_per_round: f64,
    pub(crate) engines: Vec<EngineReport>,
}

/// One engine with the rounds of each shape.
#[derive(Debug, Serialize)]
pub(crate) struct EngineReport {
    pub(crate) engine: Engine,
    #[serde(serialize_with = "as_objects")]
    pub(crate) shapes: Vec<(Shape, Vec<Round>)>,
}

fn as_objects<S: Serializer>(shapes: &[(Shape, Vec<Round>)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Rounds<'a> {
        #[serde(flatten)]
        shape: Shape,
        rounds: &'a [Round],
    }
    let mut sequence = serializer.serialize_seq(Some(shapes.len()))?;
    for (shape, rounds) in shapes {
        sequence.serialize_element(&Rounds { shape: *shape, rounds })?;
    }
    sequence.end()
}

/// A figure of a round, and its name.
type Figure = (&'static str, fn(&Round) -> f64);

const FIGURES: [Figure; 7] = [
    ("floor: messages stored per second, a transaction each", |round| round.plain),
    ("floor: messages stored per second, group commit", |round| round.grouped),
    ("messages per second, stored and delivered", |round| round.carillon.messages_per_second),
    ("deliveries per second", |round| round.carillon.deliveries_per_second),
    ("messages that share a transaction", |round| round.carillon.messages_per_transaction),
    ("sending to hearing, p50, ms", |round| round.carillon.p50),
    ("sending to hearing, p99, ms", |round| round.carillon.p99),
];

const RATIOS: [Figure; 3] = [
    ("messages ÷ floor, a transaction each", |round| round.carillon.messages_per_second / round.plain),
    ("messages ÷ floor, group commit", |round| round.carillon.messages_per_second / round.grouped),
    ("floor: group commit ÷ a transaction each", |round| round.grouped / round.plain),
];

impl Report {
    /// The columns: each shape on each engine.
    fn columns(&self) -> impl Iterator<Item = (Engine, Shape, &[Round])> {
        self.engines.iter().flat_map(|report| {
            report.shapes.iter().map(|(shape, rounds)| (report.engine, *shape, rounds.as_slice()))
        })
    }

    fn row(
        &self,
        out: &mut fmt::Formatter<'_>,
        name: &str,
        cell: impl Fn(&[Round]) -> String,
    ) -> fmt::Result {
        let cells: Vec<String> = self.columns().map(|(_, _, rounds)| cell(rounds)).collect();
        writeln!(out, "| {name} | {} |", cells.join(" | "))
    }

    /// The processes of all engines.
    fn processes(&self) -> BTreeSet<&str> {
        let rounds = self.columns().flat_map(|(_, _, rounds)| rounds);
        rounds.flat_map(|round| round.carillon.cpu.keys().map(String::as_str)).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.columns().next().map_or(0, |(_, _, rounds)| rounds.len());
        writeln!(
            out,
            "\nRooms: messages of {} bytes, {} of each speaker in flight, {} replica(s) of chat; medians of {pairs} \
             pairs, of ratios their quartiles too.\n",
            self.message_bytes, self.window, self.chat_replicas
        )?;
        let heads: Vec<String> =
            self.columns().map(|(engine, shape, _)| format!("{engine}, {shape}")).collect();
        writeln!(out, "| figure | {} |\n|---|{}", heads.join(" | "), "--:|".repeat(heads.len()))?;
        for (name, figure) in FIGURES {
            self.row(out, name, |rounds| median(Quartiles::of(rounds.iter().map(figure))))?;
        }
        for (name, figure) in RATIOS {
            self.row(out, name, |rounds| spread(Quartiles::of(rounds.iter().map(figure))))?;
        }
        for process in self.processes() {
            let used = |round: &Round| cpu(&round.carillon, process);
            let name = format!("CPU seconds per thousand messages: {process}");
            self.row(out, &name, |rounds| median(Quartiles::of(rounds.iter().filter_map(used))))?;
        }
        Ok(())
    }
}

fn cpu(served: &Served, process: &str) -> Option<f64> {
    served.cpu.get(process).copied()
}
