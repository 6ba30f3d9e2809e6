//! What it was like for the clients.

use std::{collections::BTreeMap, fmt};

use anyhow::{Context, ensure};
use tokio::time::{Duration, Instant};

use super::{
    CLIENTS,
    back_end::Sent,
    client::{Departure, Story},
};

/// How often something may have to be tried again, of hundreds of times: a machine that is busy lets requests time out.
const SELDOM: usize = CLIENTS / 100;

/// The figures of a test, of which everyone had everything.
pub(super) struct Outcome {
    /// How many events were accepted.
    events: usize,
    refusals: usize,
    slowest: Duration,
    /// How many connections ended.
    departures: usize,
    /// Of those, how many without a goodbye, and how one of them did.
    unannounced: Vec<String>,
    /// How many attempts to come back failed.
    failures: usize,
    /// How many attempts began in the busiest second.
    busiest: usize,
    longest_silence: Duration,
    /// How often a client was told that a user has left its room.
    pub(super) leavings: usize,
}

impl Outcome {
    /// Checks that each client has exactly what was accepted, in order, and adds up the rest.
    pub(super) fn of(stories: &[Story], sent: &Sent) -> anyhow::Result<Self> {
        ensure!(stories.len() == CLIENTS, "{} clients", stories.len());
        for Story { client, audience, received, .. } in stories {
            let accepted = sent.accepted.iter().find(|(of, _)| of == audience).context("no such stream")?.1;
            let wrong = received.iter().zip(0..).find(|(number, expected)| **number != *expected);
            ensure!(wrong.is_none(), "client {client} of {audience:?} has another order: {wrong:?}");
            ensure!(received.len() == accepted, "client {client} has {} of {accepted}", received.len());
        }
        let departures: Vec<&Departure> = stories.iter().flat_map(|story| &story.departures).collect();
        let attempts: Vec<Instant> =
            departures.iter().flat_map(|departure| departure.attempts.iter().copied()).collect();
        let unannounced = departures.iter().filter(|departure| !departure.was_told);
        Ok(Self {
            events: sent.accepted.iter().map(|(_, count)| count).sum(),
            refusals: sent.refusals,
            slowest: sent.slowest,
            departures: departures.len(),
            unannounced: unannounced.map(|departure| departure.why.clone()).collect(),
            failures: attempts.len() - departures.len(),
            busiest: busiest(&attempts),
            longest_silence: departures.iter().map(|departure| departure.silence).max().unwrap_or_default(),
            leavings: stories.iter().map(|story| story.leavings).sum(),
        })
    }

    /// Every connection that ended did so with a goodbye, and whoever got one was back at the
    /// first attempt; nor did the back end meet anything.
    pub(super) fn everyone_was_told(&self) -> anyhow::Result<()> {
        let Self { departures, unannounced, failures, .. } = self;
        ensure!(*departures >= CLIENTS, "only {departures} connections ended");
        ensure!(unannounced.is_empty(), "{} without a goodbye: {:?}", unannounced.len(), unannounced.first());
        ensure!(*failures <= SELDOM, "{failures} attempts failed");
        ensure!(self.refusals <= SELDOM, "{} of the back end's requests were refused", self.refusals);
        Ok(())
    }

    /// Each gateway was killed with its clients connected; only those had to come back, and nobody said goodbye.
    pub(super) fn everyone_was_cut_off(&self) -> anyhow::Result<()> {
        let Self { departures, unannounced, .. } = self;
        ensure!(*departures >= CLIENTS, "only {departures} connections ended");
        ensure!(unannounced.len() == *departures, "{} of {departures} were cut off", unannounced.len());
        Ok(())
    }

    /// In no second more than so many began to come back.
    pub(super) fn spread_below(&self, bound: usize) -> anyhow::Result<()> {
        ensure!(self.busiest <= bound, "{} came back in one second; at most {bound}", self.busiest);
        Ok(())
    }
}

/// The most attempts that began in one second.
fn busiest(attempts: &[Instant]) -> usize {
    let Some(first) = attempts.iter().min() else { return 0 };
    let mut seconds: BTreeMap<u64, usize> = BTreeMap::new();
    for attempt in attempts {
        *seconds.entry(attempt.duration_since(*first).as_secs()).or_default() += 1;
    }
    seconds.into_values().max().unwrap_or_default()
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{CLIENTS} clients, {} events ({} requests refused and repeated, the slowest took {:?}); {} connections ended, \
             {} without a goodbye; {} attempts to come back failed, at most {} began in one second; the longest silence \
             was {:?}; {} leavings told",
            self.events,
            self.refusals,
            self.slowest,
            self.departures,
            self.unannounced.len(),
            self.failures,
            self.busiest,
            self.longest_silence,
            self.leavings,
        )
    }
}
