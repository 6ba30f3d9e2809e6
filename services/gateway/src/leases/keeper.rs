//! The task that keeps one lease.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use carillon_bus::{Bus, RequestError, Signal, Timing};
use carillon_contract::messages::{EnterRequest, RenewRequest, Session};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::{Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use super::Lease;
use crate::{
    gateway::Gateway,
    metrics::Metrics,
    shard::{Control, Roll},
};

/// How often a lease is renewed: several times within the quarter of a minute for which it holds.
const EVERY: Duration = Duration::from_secs(4);

/// How long one such question may take.
const PATIENCE: Timing = Timing { attempt: Duration::from_millis(1_500) };

/// For how long it is renewed after the last connection is gone, whose client may be back in a moment.
const LINGER: Duration = Duration::from_secs(30);

/// Connections that are entered with one request.
const BATCH: usize = 100;

/// Keeps every lease of a gateway until it ends.
pub(crate) fn keep(gateway: &Gateway, workers: &[mpsc::Sender<Control>], ended: &CancellationToken) {
    for lease in &gateway.leases.0 {
        let keeper = Keeper {
            lease: lease.clone(),
            gateway: gateway.incarnation.to_string(),
            bus: gateway.bus.clone(),
            metrics: gateway.metrics.clone(),
            workers: workers.to_vec(),
        };
        tokio::spawn(ended.clone().run_until_cancelled_owned(async move {
            // Many connections take long to enter, and the lease must not lapse meanwhile.
            tokio::join!(keeper.renew_ever(), keeper.enter_ever())
        }));
    }
}

struct Keeper {
    lease: Arc<Lease>,
    /// The lease's name.
    gateway: String,
    bus: Bus,
    metrics: Arc<Metrics>,
    workers: Vec<mpsc::Sender<Control>>,
}

impl Keeper {
    async fn renew_ever(&self) {
        let mut signals = self.bus.signals();
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut until = Instant::now();
        let mut generation = None;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                // One that has gone again by now has come all the same.
                () = self.lease.wanted.notified() => until = Instant::now() + LINGER,
                signal = signals.recv() => if !may_have_been_away(signal) { continue },
            }
            if self.lease.is_used() {
                until = Instant::now() + LINGER;
            }
            if Instant::now() < until {
                let outcome = self.renew(&mut generation).await;
                self.metrics.lease_renewals.with_label_values(&[self.lease.owner.as_str(), outcome]).inc();
            }
        }
    }

    /// Renews the lease. A generation other than the last one that was heard has lost count of all that
    /// was there before it.
    async fn renew(&self, last: &mut Option<String>) -> &'static str {
        let request = RenewRequest { gateway: self.gateway.clone() };
        let generation = match self.bus.call_within(self.lease.owner, &request, PATIENCE).await {
            Ok(reply) => Some(reply.generation),
            Err(error) => {
                tracing::debug!(owner = %self.lease.owner, %error, "a lease was not renewed");
                return "failed";
            }
        };
        if *last == generation {
            return "renewed";
        }
        *last = generation;
        // First, so that whoever is accepted from now on sees that it was asked for before.
        self.lease.generations.fetch_add(1, Ordering::AcqRel);
        self.lease.counted_out.notify_one();
        "began"
    }

    /// Enters every connection whenever some may have been counted out, until that is acknowledged.
    async fn enter_ever(&self) {
        loop {
            self.lease.counted_out.notified().await;
            while let Err(error) = self.enter_all().await {
                tracing::debug!(owner = %self.lease.owner, %error, "connections were not entered again");
                tokio::time::sleep(EVERY).await;
            }
        }
    }

    async fn enter_all(&self) -> Result<(), RequestError> {
        for worker in &self.workers {
            let mut next = Some(0);
            while let Some(from) = next {
                let roll = self.call_roll(worker, from).await;
                next = roll.next;
                self.enter(roll.sessions).await?;
            }
        }
        Ok(())
    }

    /// Who is there at a worker, from a place on. One that has ended has no connections.
    async fn call_roll(&self, worker: &mpsc::Sender<Control>, from: usize) -> Roll {
        let (reply, mut answer) = mpsc::channel(1);
        let _ = worker.send(Control::CallRoll { owner: self.lease.owner, from, count: BATCH, reply }).await;
        answer.recv().await.unwrap_or_default()
    }

    async fn enter(&self, sessions: Vec<Session>) -> Result<(), RequestError> {
        if sessions.is_empty() {
            return Ok(());
        }
        let count = sessions.len() as u64;
        self.bus.call(self.lease.owner, &EnterRequest { sessions }).await?;
        self.metrics.entered_again.inc_by(count);
        Ok(())
    }
}

/// Whether the bus is back, or may have been away.
fn may_have_been_away(signal: Result<Signal, RecvError>) -> bool {
    match signal {
        Ok(Signal::Reconnected) | Err(RecvError::Lagged(_)) => true,
        Ok(Signal::Disconnected | Signal::Dropped) | Err(RecvError::Closed) => false,
    }
}
