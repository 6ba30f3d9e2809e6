//! What came of the cases, as a table.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::ensure;

use crate::{
    script::{Case, Group, Verdict},
    stage::Stage,
};

pub(crate) struct Results(Mutex<Vec<Row>>);

/// What came of the cases of one group.
struct Row {
    group: &'static str,
    /// How many came to what; `None`: they failed.
    counts: BTreeMap<Option<Verdict>, usize>,
    /// The longest that one took.
    longest: Duration,
}

const COLUMNS: [Option<Verdict>; 5] = [
    Some(Verdict::Ok),
    Some(Verdict::NonStrict),
    Some(Verdict::Informational),
    Some(Verdict::NotApplicable),
    None,
];

impl Results {
    pub(crate) fn of(groups: &[Group]) -> Self {
        let row = |group: &Group| Row { group: group.name, counts: BTreeMap::new(), longest: Duration::ZERO };
        Self(Mutex::new(groups.iter().map(row).collect()))
    }

    /// Runs a case of a group. It has to come to what the page says of it.
    pub(crate) fn record(&self, group: &'static str, case: Case, stage: &Stage) -> anyhow::Result<()> {
        let (expected, start) = (case.verdict, Instant::now());
        let outcome = (case.run)(stage).and_then(|verdict| {
            ensure!(verdict == expected, "{} in place of {}", verdict.as_str(), expected.as_str());
            Ok(verdict)
        });
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.iter_mut().find(|row| row.group == group).expect("a row");
        *row.counts.entry(outcome.as_ref().ok().copied()).or_default() += 1;
        row.longest = row.longest.max(start.elapsed());
        outcome.map(drop)
    }

    /// Prints a line for each group that was run.
    pub(crate) fn print(&self) {
        let rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let heads = COLUMNS.map(|verdict| verdict.map_or("FAILED", Verdict::as_str));
        print!("{:26}", "group");
        heads.iter().for_each(|head| print!("{head:>15}"));
        println!("{:>15}", "longest (ms)");
        for row in rows.iter().filter(|row| !row.counts.is_empty()) {
            print!("{:26}", row.group);
            COLUMNS.iter().for_each(|verdict| print!("{:>15}", row.counts.get(verdict).unwrap_or(&0)));
            println!("{:>15}", row.longest.as_millis());
        }
    }
}
