//! Delivering what is owed.

use std::{future::Future, time::Duration};

use carillon_contract::ServiceName;
use futures_util::future::{join, join_all};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Debt, Outbox,
    claim::{BATCH, Claimed, Outcome, pause},
};
use crate::{StoreError, span};

/// How often a replica looks for what another one left behind, or what is due again.
const POLL: Duration = Duration::from_secs(1);

/// How often the outbox is measured.
const MEASURE: Duration = Duration::from_secs(5);

/// How long one delivery may take.
const DELIVERY: Duration = Duration::from_secs(5);

/// How long a replica goes on with what it claimed. With a last delivery and the settling it ends
/// well before the claim does.
const ROUND: Duration = Duration::from_secs(20);

/// The longest pause in deliveries to a service: it may be back.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How a round ended.
enum Round {
    /// There is more.
    Full,
    /// Nothing else is due.
    Empty,
    /// The last delivery failed.
    Failed,
}

impl Outbox {
    /// Delivers what is owed until `shutdown`, oldest first and one at a time to each service, until
    /// `deliver` says that it was acknowledged. What fails rests, longer each time, and the others
    /// go ahead; a service that is away delays no other. Each replica may run it. A debt is
    /// delivered again if a replica dies or loses its database in between.
    pub async fn run<F, Fut>(&self, shutdown: CancellationToken, deliver: F)
    where
        F: Fn(Debt) -> Fut,
        Fut: Future<Output = Result<(), String>>,
    {
        let services = ServiceName::ALL.map(|to| self.serve(to, &shutdown, &deliver));
        join(join_all(services), self.measure(&shutdown)).await;
    }

    async fn serve<F, Fut>(&self, to: ServiceName, shutdown: &CancellationToken, deliver: &F)
    where
        F: Fn(Debt) -> Fut,
        Fut: Future<Output = Result<(), String>>,
    {
        let mut woken = self.wake.subscribe();
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            let round = self.round(to, shutdown, deliver).await;
            failures = if matches!(round, Ok(Round::Full | Round::Empty)) { 0 } else { failures + 1 };
            match round {
                Ok(Round::Full) => {}
                Ok(Round::Empty) => wait(shutdown, &mut woken).await,
                Ok(Round::Failed) => rest(shutdown, failures).await,
                Err(error) => {
                    tracing::warn!(%to, %error, "the outbox can't be used");
                    rest(shutdown, failures).await;
                }
            }
        }
    }

    async fn round<F, Fut>(
        &self,
        to: ServiceName,
        shutdown: &CancellationToken,
        deliver: &F,
    ) -> Result<Round, StoreError>
    where
        F: Fn(Debt) -> Fut,
        Fut: Future<Output = Result<(), String>>,
    {
        if !self.is_due(to).await? {
            return Ok(Round::Empty);
        }
        let claimed = self.claim(to).await?;
        let full = claimed.len() == BATCH;
        let outcome = deliver_all(self.database.service(), claimed, shutdown, deliver).await;
        let round = match (&outcome.failed, full) {
            (Some(_), _) => Round::Failed,
            (None, true) => Round::Full,
            (None, false) => Round::Empty,
        };
        self.settle(to, outcome).await?;
        Ok(round)
    }

    async fn measure(&self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            // A failure is reported by those who deliver.
            if let Ok(depth) = self.depth().await {
                let metrics = self.database.metrics();
                metrics.outbox_debts.set(i64::try_from(depth.count).unwrap_or(i64::MAX));
                metrics.outbox_oldest_seconds.set(depth.oldest.unwrap_or_default().as_secs_f64());
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = sleep(MEASURE) => {}
            }
        }
    }
}

/// Delivers in order until one fails, time is up, or the process is to end.
async fn deliver_all<F, Fut>(
    service: ServiceName,
    claimed: Vec<Claimed>,
    shutdown: &CancellationToken,
    deliver: &F,
) -> Outcome
where
    F: Fn(Debt) -> Fut,
    Fut: Future<Output = Result<(), String>>,
{
    let end = Instant::now() + ROUND;
    let mut outcome = Outcome::default();
    for claimed in claimed {
        if outcome.failed.is_some() || Instant::now() > end || shutdown.is_cancelled() {
            outcome.untried.push(claimed);
            continue;
        }
        let mut span = span::delivery(service, claimed.trace.as_ref(), claimed.attempts);
        let delivery = span.scope(timeout(DELIVERY, deliver(claimed.debt.clone()))).await;
        let delivered = delivery.unwrap_or_else(|_| Err("no answer in time".into()));
        if delivered.is_err() {
            span.fail("not acknowledged");
        }
        match delivered {
            Ok(()) => outcome.acknowledged.push(claimed),
            Err(reason) => {
                let Debt { to, method, cause, .. } = &claimed.debt;
                tracing::warn!(%to, %method, %cause, %reason, "what is owed could not be delivered yet");
                outcome.failed = Some(claimed);
            }
        }
    }
    outcome
}

async fn wait(shutdown: &CancellationToken, woken: &mut watch::Receiver<()>) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        // The sender is this outbox's own.
        _ = woken.changed() => {}
        () = sleep(POLL) => {}
    }
}

async fn rest(shutdown: &CancellationToken, failures: i64) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = sleep(pause(failures - 1).min(LONGEST_PAUSE)) => {}
    }
}
