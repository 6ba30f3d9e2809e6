//! The cluster as it is now: what each gateway told last, and what those counted that are gone. Any part of the
//! service reads its figures and gateways here.

mod counts;
mod figures;
mod kept;
mod report;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use carillon_contract::GatewayId;
use carillon_store::now;

pub(crate) use counts::{Counts, Entrance, Past, Pasts};
pub(crate) use figures::{Breakdown, Figures};
pub(crate) use kept::Kept;
pub(crate) use report::Report;

use crate::args::SettingsArgs;

/// Microseconds of a day.
const DAY: i64 = 86_400 * 1_000_000;

/// Gateways that are heard of at a time: above that new ones are left out, and counted.
const MAX_GATEWAYS: usize = 10_000;

/// What is known of all gateways.
pub(crate) struct Cluster {
    state: Mutex<State>,
    /// After how long a silence one is gone.
    silence: Duration,
    /// For how long what it counted is kept apart after that.
    apart: Duration,
}

#[derive(Default)]
struct State {
    heard: BTreeMap<GatewayId, Heard>,
    kept: Kept,
}

/// The latest of a gateway.
struct Heard {
    report: Arc<Report>,
    at: Instant,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is the gateway's latest.
    Latest,
    /// A later one was heard before.
    Old,
    /// There are too many gateways.
    Refused,
}

/// The number of a day, since 1970-01-01, UTC.
pub(crate) fn day_of(microseconds: i64) -> i64 {
    microseconds.div_euclid(DAY)
}

impl Cluster {
    pub(crate) fn new(settings: &SettingsArgs) -> Self {
        let (silence, apart) = (settings.metrics_gateway_silence, settings.metrics_fold_after);
        Self { state: Mutex::default(), silence, apart }
    }

    /// Takes in what a gateway tells.
    pub(crate) fn hear(&self, report: Report, at: Instant) -> Taken {
        let heard = &mut self.state().heard;
        let known = heard.get(&report.gateway);
        if known.is_some_and(|known| known.report.number >= report.number) {
            return Taken::Old;
        }
        if known.is_none() && heard.len() >= MAX_GATEWAYS {
            return Taken::Refused;
        }
        heard.insert(report.gateway.clone(), Heard { report: Arc::new(report), at });
        Taken::Latest
    }

    /// The latest report of every gateway that was heard of, in the order of their ids, whether it is still
    /// there or not.
    pub(crate) fn heard(&self) -> Vec<Arc<Report>> {
        self.state().heard.values().map(|heard| heard.report.clone()).collect()
    }

    /// The latest report of every gateway that is there, in the order of their ids.
    pub(crate) fn gateways(&self) -> Vec<Arc<Report>> {
        let (state, now) = (self.state(), Instant::now());
        let there = state.heard.values().filter(|heard| heard.is_there(now, self.silence));
        there.map(|heard| heard.report.clone()).collect()
    }

    /// What all of them have counted, those that are gone included.
    pub(crate) fn figures(&self) -> Breakdown {
        self.figures_at(Instant::now(), now())
    }

    /// Takes in what the database has. Gateways that are gone, and that it has all of, are forgotten here.
    pub(crate) fn keep(&self, kept: Kept) {
        let (now, state) = (Instant::now(), &mut *self.state());
        state.heard.retain(|gateway, heard| {
            heard.is_there(now, self.silence) || !kept.has_all_of(gateway, heard.report.number)
        });
        state.kept = kept;
    }

    fn figures_at(&self, instant: Instant, time: i64) -> Breakdown {
        let state = &*self.state();
        let (day, mut breakdown) = (day_of(time), Breakdown::default());
        breakdown.add_gone(&state.kept.totals, day);
        for (gateway, kept) in &state.kept.gateways {
            if !state.heard.contains_key(gateway) {
                breakdown.add_gone(&kept.pasts, day);
            }
        }
        for (gateway, heard) in &state.heard {
            let pasts = self.pasts(state, gateway, &heard.report, time);
            if heard.is_there(instant, self.silence) {
                breakdown.add(&heard.report, pasts, day);
            } else {
                breakdown.add_gone(pasts, day);
            }
        }
        breakdown
    }

    /// What counts of a gateway that was heard: what it said last, or what another replica has heard of it
    /// since; and nothing of one whose figures are part of the totals.
    fn pasts<'a>(&self, state: &'a State, gateway: &GatewayId, report: &'a Report, time: i64) -> &'a Pasts {
        static NOTHING: Pasts = Pasts::new();
        match state.kept.gateways.get(gateway) {
            Some(kept) if kept.number > report.number => &kept.pasts,
            Some(_) => &report.pasts,
            None if state.kept.folded.contains(gateway) => &NOTHING,
            // One this old may be part of the totals: that is known as soon as the database was asked.
            None if time.saturating_sub(report.started_at) > microseconds(self.apart) => &NOTHING,
            None => &report.pasts,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn is_there(&self, now: Instant, silence: Duration) -> bool {
        !self.report.is_last && now.saturating_duration_since(self.at) < silence
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
