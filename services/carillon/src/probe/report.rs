//! What a probe tells.

use std::time::Duration;

use carillon_contract::Endpoint;
use serde::Serialize;

use super::visit::Measured;
use crate::output::{self, Colour, OutputArgs, Table, Verdict, milliseconds};

/// What has become of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// It is as it should be.
    Ok,
    /// It isn't.
    Failed,
    /// Nobody knows.
    Skipped,
}

/// An endpoint.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    endpoint: &'static str,
    path: String,
    outcome: Outcome,
    reason: Option<String>,
    handshake_ms: Option<f64>,
    greeting_ms: Option<f64>,
    ping_ms: Option<f64>,
    echo_ms: Option<f64>,
    recovery_ms: Option<f64>,
    missed: Option<u64>,
}

/// All of them.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    url: String,
    user: String,
    ok: usize,
    failed: usize,
    skipped: usize,
    endpoints: Vec<Row>,
}

impl Row {
    pub(super) fn of(
        row: &Endpoint,
        path: &str,
        outcome: Outcome,
        reason: Option<String>,
        measured: Measured,
    ) -> Self {
        Self {
            endpoint: row.name,
            path: path.to_owned(),
            outcome,
            reason,
            handshake_ms: measured.handshake.map(milliseconds),
            greeting_ms: measured.greeting.map(milliseconds),
            ping_ms: measured.ping.map(milliseconds),
            echo_ms: measured.echo.map(milliseconds),
            recovery_ms: measured.recovery.map(milliseconds),
            missed: measured.missed,
        }
    }

    pub(super) fn skipped(row: &Endpoint, path: &str, reason: String) -> Self {
        Self::of(row, path, Outcome::Skipped, Some(reason), Measured::default())
    }
}

impl Report {
    pub(super) fn new(url: &str, user: &str) -> Self {
        Self {
            url: url.to_owned(),
            user: user.to_owned(),
            ok: 0,
            failed: 0,
            skipped: 0,
            endpoints: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, row: Row) {
        match row.outcome {
            Outcome::Ok => self.ok += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Skipped => self.skipped += 1,
        }
        self.endpoints.push(row);
    }

    /// All is well if something was seen, and nothing of it failed.
    pub(super) fn verdict(&self, strict: bool) -> Verdict {
        Verdict::from(self.failed == 0 && self.ok > 0 && !(strict && self.skipped > 0))
    }

    /// # Errors
    /// A reader that has gone.
    pub(super) fn print(&self, output: OutputArgs) -> std::io::Result<()> {
        if output.json {
            return output::object(self);
        }
        let mut table = Table::new([
            "ENDPOINT",
            "PATH",
            "RESULT",
            "HANDSHAKE",
            "GREETING",
            "PING",
            "ECHO",
            "RECOVERY",
            "",
        ]);
        for row in &self.endpoints {
            let (word, colour) = match row.outcome {
                Outcome::Ok => ("ok", Colour::Green),
                Outcome::Failed => ("failed", Colour::Red),
                Outcome::Skipped => ("skipped", Colour::Yellow),
            };
            table.row([
                (row.endpoint.to_owned(), None),
                (row.path.clone(), None),
                (word.to_owned(), Some(colour)),
                (shown(row.handshake_ms), None),
                (shown(row.greeting_ms), None),
                (shown(row.ping_ms), None),
                (shown(row.echo_ms), None),
                (shown(row.recovery_ms), None),
                (row.reason.clone().unwrap_or_default(), None),
            ]);
        }
        for line in table.lines() {
            output::line(&line)?;
        }
        let Self { url, user, ok, failed, skipped, .. } = self;
        output::line(&format!("{url} as {user}: {ok} ok, {failed} failed, {skipped} skipped"))
    }
}

fn shown(time: Option<f64>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{:.1?}", Duration::from_secs_f64(time / 1_000.0)))
}
