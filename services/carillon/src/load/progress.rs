//! What is going on, once a second, on a terminal.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{Instant, interval},
};

use super::tally::Tally;
use crate::output::OutputArgs;

/// A line that is written over and over.
pub(super) struct Progress(Option<JoinHandle<()>>);

impl Progress {
    /// Begins, if there is somebody to see it.
    pub(super) fn start(tally: &Arc<Tally>, output: OutputArgs) -> Self {
        if output.json || !stderr().is_terminal() {
            return Self(None);
        }
        let tally = tally.clone();
        Self(Some(tokio::spawn(async move {
            let (begun, mut ticks) = (Instant::now(), interval(Duration::from_secs(1)));
            loop {
                ticks.tick().await;
                show(&tally, begun.elapsed());
            }
        })))
    }

    /// Ends, and leaves the line empty.
    pub(super) fn end(self) {
        if let Some(task) = self.0 {
            task.abort();
            eprint!("\r\x1b[K");
        }
    }
}

fn show(tally: &Tally, elapsed: Duration) {
    let (accepted, expected) = tally.accepted_and_expected();
    let (open, sent) = (tally.open.load(Relaxed), tally.sent.load(Relaxed));
    let (received, reconnects) = (tally.received.load(Relaxed), tally.reconnects.load(Relaxed));
    let p99 = Duration::from_micros(tally.latencies().value_at_quantile(0.99));
    eprint!(
        "\r\x1b[K{:>4}s  {open} open  {sent} sent  {accepted} accepted  {received}/{expected} delivered  p99 {p99:.1?}  \
         {reconnects} reconnects",
        elapsed.as_secs()
    );
    // A terminal that has gone is no reason to stop.
    let _ = stderr().flush();
}
