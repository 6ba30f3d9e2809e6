//! Keeps what gateways tell in the database, and knows what it has. Every replica does the same; what one has
//! written, another writes again or not at all.

mod columns;
mod fold;
mod load;
mod save;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use carillon_bus::Bus;
use carillon_contract::GatewayId;
use carillon_service::{Shell, time::microseconds};
use carillon_store::{Database, StoreError, now};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{
    args::SettingsArgs,
    cluster::{Cluster, Kept, Report, day_of},
    metrics::Metrics,
};

/// How often what was heard is written.
const EVERY: Duration = Duration::from_secs(1);

/// How often it is noted of a gateway at least that it is there, though it has nothing to tell: several times in
/// the time after which it would be folded.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// For how long gateways are listened to before one can be taken for gone for good.
const HEED: Duration = Duration::from_secs(60);

/// After that time a gateway is folded which has said that nothing follows.
const OVER: Duration = Duration::from_secs(60);

/// For how long folded gateways are remembered, and days.
const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);
const DAYS: i64 = 8;

/// How often what is older than that is looked for.
const TIDY: Duration = Duration::from_secs(600);

/// Writes and reads what is kept.
pub(crate) struct Keeper {
    database: Database,
    bus: Bus,
    cluster: Arc<Cluster>,
    metrics: Metrics,
    fold_after: Duration,
    /// What this replica has written last of each gateway, and when.
    saved: BTreeMap<GatewayId, (Arc<Report>, Instant)>,
    /// Since when it has heard gateways without a break.
    heeding_since: Instant,
    tidied_at: Option<Instant>,
    /// The last round failed, and was logged.
    is_failing: bool,
}

impl Keeper {
    pub(crate) fn new(
        shell: &Shell,
        database: &Database,
        cluster: &Arc<Cluster>,
        metrics: &Metrics,
        settings: &SettingsArgs,
    ) -> Self {
        Self {
            database: database.clone(),
            bus: shell.bus.clone(),
            cluster: cluster.clone(),
            metrics: metrics.clone(),
            fold_after: settings.metrics_fold_after,
            saved: BTreeMap::new(),
            heeding_since: Instant::now(),
            tidied_at: None,
            is_failing: false,
        }
    }

    /// Keeps until shutdown; then it is to be finished.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) -> Self {
        let mut rounds = tokio::time::interval(EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(rounds.tick()).await.is_some() {
            self.round().await;
        }
        self
    }

    /// Writes what was heard last.
    pub(crate) async fn finish(mut self) {
        if let Err(error) = self.save().await {
            tracing::warn!(%error, "what was heard of gateways last could not be kept");
        }
    }

    async fn round(&mut self) {
        let outcome = self.try_round().await;
        self.metrics.saves.with_label_values(&[if outcome.is_ok() { "ok" } else { "failed" }]).inc();
        match outcome {
            Ok(()) => self.is_failing = false,
            // One line, however long the database is away.
            Err(error) if !std::mem::replace(&mut self.is_failing, true) => {
                tracing::warn!(%error, "what gateways tell can't be kept; trying again");
            }
            Err(_) => {}
        }
        for state in ["serving", "draining"] {
            let count = self.cluster.gateways().iter().filter(|report| report.state() == state).count();
            self.metrics.gateways.with_label_values(&[state]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    async fn try_round(&mut self) -> Result<(), StoreError> {
        if !self.bus.is_connected() {
            self.heeding_since = Instant::now();
        }
        // In this order: whoever is still there has said so before anyone is folded.
        self.save().await?;
        self.fold().await?;
        self.load().await
    }

    /// Writes what has changed since it was last written.
    async fn save(&mut self) -> Result<(), StoreError> {
        let heard = self.cluster.heard();
        let due: Vec<_> = heard.iter().filter(|report| self.is_due(report)).cloned().collect();
        save::save(&self.database, &due, now()).await?;
        let written = Instant::now();
        for report in due {
            self.saved.insert(report.gateway.clone(), (report, written));
        }
        // They are in the order of their ids.
        let is_heard =
            |gateway: &GatewayId| heard.binary_search_by(|report| report.gateway.cmp(gateway)).is_ok();
        self.saved.retain(|gateway, _| is_heard(gateway));
        Ok(())
    }

    fn is_due(&self, report: &Report) -> bool {
        let Some((saved, at)) = self.saved.get(&report.gateway) else { return true };
        let has_news = report.pasts != saved.pasts || report.is_last;
        let often = SIGN_OF_LIFE.min(self.fold_after / 4);
        report.number > saved.number && (has_news || at.elapsed() >= often)
    }

    /// Adds to the totals what those counted who are gone for good.
    async fn fold(&mut self) -> Result<(), StoreError> {
        if self.heeding_since.elapsed() < HEED.min(self.fold_after) {
            return Ok(());
        }
        let now = now();
        let silent_since = now - microseconds(self.fold_after);
        let over_since = now - microseconds(OVER.min(self.fold_after));
        let folded = fold::fold(&self.database, silent_since, over_since).await?;
        self.metrics.folded.inc_by(folded);
        if self.tidied_at.is_none_or(|tidied_at| tidied_at.elapsed() >= TIDY) {
            fold::forget(&self.database, now - microseconds(REMEMBERED), day_of(now) - DAYS).await?;
            self.tidied_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Has the cluster know what is kept.
    ///
    /// # Errors
    /// A database that can't be read.
    pub(crate) async fn load(&self) -> Result<(), StoreError> {
        let heard = self.cluster.heard();
        let kept = load::load(&self.database, &heard, day_of(now()) - 1).await?;
        self.note_late(&kept, &heard);
        self.cluster.keep(kept);
        Ok(())
    }

    /// A gateway that was out of hearing for so long that it was folded counts no further.
    fn note_late(&self, kept: &Kept, heard: &[Arc<Report>]) {
        for report in heard.iter().filter(|report| kept.folded.contains(&report.gateway) && !report.is_last) {
            tracing::debug!(gateway = %report.gateway, "a gateway is back whose figures are part of the totals");
            self.metrics.reported("late");
        }
    }
}
