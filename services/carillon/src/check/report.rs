//! What a check tells.

use serde::Serialize;

use crate::output::{self, Colour, OutputArgs, Table, Verdict};

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// It works, and may not do what is wanted.
    Warning,
    /// It doesn't work.
    Failed,
    /// Nobody knows.
    Skipped,
}

/// One thing that was checked.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    group: &'static str,
    check: String,
    status: Status,
    detail: String,
    /// How to mend it.
    mend: Option<String>,
}

/// All of them.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    ok: usize,
    warnings: usize,
    failed: usize,
    skipped: usize,
    checks: Vec<Row>,
}

impl Row {
    pub(super) fn ok(group: &'static str, check: &str, detail: impl Into<String>) -> Self {
        Self { group, check: check.to_owned(), status: Status::Ok, detail: detail.into(), mend: None }
    }

    pub(super) fn warning(
        group: &'static str,
        check: &str,
        detail: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { status: Status::Warning, mend: Some(mend.into()), ..Self::ok(group, check, detail) }
    }

    pub(super) fn failed(
        group: &'static str,
        check: &str,
        detail: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { status: Status::Failed, mend: Some(mend.into()), ..Self::ok(group, check, detail) }
    }

    pub(super) fn skipped(group: &'static str, check: &str, detail: impl Into<String>) -> Self {
        Self { status: Status::Skipped, ..Self::ok(group, check, detail) }
    }
}

impl Report {
    pub(super) fn add(&mut self, rows: Vec<Row>) {
        for row in &rows {
            match row.status {
                Status::Ok => self.ok += 1,
                Status::Warning => self.warnings += 1,
                Status::Failed => self.failed += 1,
                Status::Skipped => self.skipped += 1,
            }
        }
        self.checks.extend(rows);
    }

    pub(super) fn verdict(&self, strict: bool) -> Verdict {
        Verdict::from(self.failed == 0 && !(strict && self.warnings > 0))
    }

    /// # Errors
    /// A reader that has gone.
    pub(super) fn print(&self, output: OutputArgs) -> std::io::Result<()> {
        if output.json {
            return output::object(self);
        }
        let mut table = Table::new(["", "CHECK", "RESULT", ""]);
        let mut before = "";
        for row in &self.checks {
            let (word, colour) = match row.status {
                Status::Ok => ("ok", Colour::Green),
                Status::Warning => ("warning", Colour::Yellow),
                Status::Failed => ("failed", Colour::Red),
                Status::Skipped => ("skipped", Colour::Grey),
            };
            let group = if row.group == before { "" } else { row.group };
            before = row.group;
            let mend = row.mend.as_ref().map_or_else(String::new, |mend| format!(" → {mend}"));
            table.row([
                (group.to_owned(), Some(Colour::Bold)),
                (row.check.clone(), None),
                (word.to_owned(), Some(colour)),
                (format!("{}{mend}", row.detail), None),
            ]);
        }
        for line in table.lines() {
            output::line(&line)?;
        }
        let Self { ok, warnings, failed, skipped, .. } = self;
        output::line(&format!("{ok} ok, {warnings} warnings, {failed} failed, {skipped} skipped"))
    }
}
