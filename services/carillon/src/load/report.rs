//! What a run has come to.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::{Args, connection::Outcome, tally::Tally};
use crate::output::{self, Colour, OutputArgs, Table, Verdict, milliseconds};

/// Everything, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    url: String,
    endpoint: String,
    seconds: f64,
    connections: Connections,
    messages: Messages,
    deliveries: Deliveries,
    latency: Latency,
    closes: BTreeMap<u16, u64>,
    errors: BTreeMap<String, u64>,
    ok: bool,
}

#[derive(Debug, Serialize)]
struct Connections {
    wanted: u64,
    opened: u64,
    reconnects: u64,
    failed_handshakes: u64,
    unrecovered: u64,
    /// Those that were gone, and had not come back, when everything was over.
    away: u64,
}

#[derive(Debug, Serialize)]
struct Messages {
    sent: u64,
    accepted: u64,
    refused: u64,
    unanswered: u64,
    repeated: u64,
    per_second: f64,
}

#[derive(Debug, Serialize)]
struct Deliveries {
    expected: u64,
    received: u64,
    lost: u64,
    out_of_order: u64,
    duplicates: u64,
    per_second: f64,
}

/// Milliseconds from when a message was due to when it had come.
#[derive(Debug, Serialize)]
struct Latency {
    /// `due`, or `sent` where senders wait for answers.
    since: &'static str,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
    p999_ms: f64,
    max_ms: f64,
    mean_ms: f64,
}

impl Report {
    pub(super) fn new(
        args: &Args,
        tally: &Tally,
        joined: u64,
        outcomes: Vec<Outcome>,
        sent_for: Duration,
    ) -> Self {
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        let (accepted, expected) = tally.accepted_and_expected();
        let (sent, refused) = (count(&tally.sent), count(&tally.refused));
        let received = count(&tally.received);
        let unanswered = outcomes.iter().map(|outcome| outcome.unanswered).sum();
        let away = outcomes.iter().filter(|outcome| !outcome.stayed).count() as u64;
        let lost = lost(tally, &outcomes);
        let out_of_order = count(&tally.late);
        let wanted = u64::from(args.connections);
        Self {
            url: args.target.url.to_string(),
            endpoint: args.endpoint.clone(),
            seconds: sent_for.as_secs_f64(),
            connections: Connections {
                wanted,
                opened: joined,
                reconnects: count(&tally.reconnects),
                failed_handshakes: count(&tally.failed_handshakes),
                unrecovered: count(&tally.unrecovered),
                away,
            },
            messages: Messages {
                sent,
                accepted,
                refused,
                unanswered,
                repeated: count(&tally.repeated),
                per_second: rate(accepted, sent_for),
            },
            deliveries: Deliveries {
                expected,
                received,
                lost,
                out_of_order,
                duplicates: count(&tally.again),
                per_second: rate(received, sent_for),
            },
            latency: Latency::of(&tally.latencies(), args.in_flight.is_some()),
            closes: tally.closes(),
            errors: tally.errors(),
            ok: [lost, out_of_order, unanswered, refused, away].iter().all(|count| *count == 0)
                && joined == wanted,
        }
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.ok.into()
    }

    /// # Errors
    /// A reader that has gone.
    pub(super) fn print(&self, output: OutputArgs) -> std::io::Result<()> {
        if output.json {
            return output::object(self);
        }
        let Self { connections, messages, deliveries, latency, .. } = self;
        let mut table = Table::default();
        let mut row = |name: &str, text: String, bad: bool| {
            let colour = bad.then_some(Colour::Red);
            table.row([(name.to_owned(), Some(Colour::Bold)), (text, colour)]);
        };
        row(
            "connections",
            format!(
                "{} of {} opened, {} reconnects, {} handshakes failed, {} not recovered, {} away at the end",
                connections.opened,
                connections.wanted,
                connections.reconnects,
                connections.failed_handshakes,
                connections.unrecovered,
                connections.away
            ),
            connections.opened < connections.wanted || connections.away > 0,
        );
        row(
            "messages",
            format!(
                "{} sent in {:.1} s, {} accepted ({:.0}/s), {} refused, {} unanswered, {} said again",
                messages.sent,
                self.seconds,
                messages.accepted,
                messages.per_second,
                messages.refused,
                messages.unanswered,
                messages.repeated
            ),
            messages.refused + messages.unanswered > 0,
        );
        row(
            "deliveries",
            format!(
                "{} of {} ({:.0}/s), {} lost, {} out of order, {} twice",
                deliveries.received,
                deliveries.expected,
                deliveries.per_second,
                deliveries.lost,
                deliveries.out_of_order,
                deliveries.duplicates
            ),
            deliveries.lost + deliveries.out_of_order > 0,
        );
        row("latency", latency.words(), false);
        if !self.closes.is_empty() {
            let closes: Vec<String> =
                self.closes.iter().map(|(code, count)| format!("{code}: {count}")).collect();
            row("closes", closes.join(", "), false);
        }
        for (error, count) in &self.errors {
            row("error", format!("{count} × {error}"), true);
        }
        for line in table.lines() {
            output::line(&line)?;
        }
        let (word, colour) = if self.ok { ("ok", Colour::Green) } else { ("failed", Colour::Red) };
        output::line(&format!("{}  {}", colour.paint(word), self.url))
    }
}

impl Latency {
    fn of(latencies: &Histogram<u64>, closed_loop: bool) -> Self {
        let at = |quantile: f64| milliseconds(Duration::from_micros(latencies.value_at_quantile(quantile)));
        Self {
            since: if closed_loop { "sent" } else { "due" },
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p999_ms: at(0.999),
            max_ms: milliseconds(Duration::from_micros(latencies.max())),
            mean_ms: latencies.mean().round() / 1_000.0,
        }
    }

    fn words(&self) -> String {
        let Self { since, p50_ms, p90_ms, p99_ms, p999_ms, max_ms, .. } = self;
        format!(
            "p50 {p50_ms} ms, p90 {p90_ms} ms, p99 {p99_ms} ms, p99.9 {p999_ms} ms, max {max_ms} ms (since {since})"
        )
    }
}

/// What was accepted, and has not come to somebody who was there.
fn lost(tally: &Tally, outcomes: &[Outcome]) -> u64 {
    let mut lost = 0;
    let mut rooms = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.joined) {
        let accepted = rooms.entry(outcome.room).or_insert_with(|| tally.accepted_in(outcome.room));
        for (sender, accepted) in accepted {
            lost += match outcome.ledgers.get(sender) {
                Some(ledger) => ledger.lost(&accepted.beyond, accepted.all_up_to),
                None => accepted.all_up_to + accepted.beyond.len() as u64,
            };
        }
    }
    lost
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn rate(count: u64, time: Duration) -> f64 {
    (count as f64 / time.as_secs_f64().max(0.001) * 10.0).round() / 10.0
}
