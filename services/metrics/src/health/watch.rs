//! Listening to everybody, and telling what follows.

use std::time::Duration;

use carillon_bus::{Bus, Signal, Subscription};
use carillon_contract::{
    Channel, Pattern,
    messages::{Beacon, Event, Variant},
};
use carillon_service::{Publisher, Shell};
use carillon_store::now;
use futures_util::StreamExt as _;
use prost::Message as _;
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{Cause, Health, roster::LOOK};

/// How often the health is told.
const TICK: Duration = Duration::from_secs(2);

/// How long everybody has to tell before anything is concluded: a little more than it takes them.
const SETTLING: Duration = Duration::from_millis(1_500);

/// For how long changes that follow a first one are told with it.
const TOGETHER: Duration = Duration::from_millis(50);

/// How long to wait before the bus is tried again.
const PATIENCE: Duration = Duration::from_millis(250);

/// What keeps a [`Health`] up to date, and tells of it.
pub(crate) struct Watch {
    health: Health,
    bus: Bus,
    publisher: Publisher,
    epoch: String,
    shutdown: CancellationToken,
}

impl Watch {
    pub(crate) fn new(shell: &Shell, health: &Health, epoch: &str) -> Self {
        Self {
            health: health.clone(),
            bus: shell.bus.clone(),
            publisher: Publisher::new(shell.bus.clone()),
            epoch: epoch.to_owned(),
            shutdown: shell.shutdown.clone(),
        }
    }

    /// Runs until shutdown.
    pub(crate) async fn run(self) {
        let shutdown = self.shutdown.clone();
        shutdown.run_until_cancelled(self.watch()).await;
    }

    async fn watch(self) {
        // Listening before subscribing: nothing that happens in between is missed.
        let mut signals = self.bus.signals();
        let mut beacons = self.subscribe().await;
        let (mut looks, mut ticks) = (every(LOOK), every(TICK));
        let settled_at = Instant::now() + SETTLING;
        let mut news_at = None;
        loop {
            let is_settled = *self.health.settled.borrow();
            tokio::select! {
                biased;
                beacon = beacons.next() => match beacon {
                    Some(beacon) => self.hear(&beacon.payload),
                    None => beacons = self.subscribe().await,
                },
                () = happened(&mut signals) => self.health.view().spare(),
                _ = looks.tick() => self.health.view().look(),
                () = sleep_until(settled_at), if !is_settled => {
                    self.health.settled.send_replace(true);
                }
                _ = ticks.tick(), if is_settled => self.tell(Cause::Tick).await,
                () = until(news_at), if news_at.is_some() => {
                    news_at = None;
                    self.tell(Cause::Change).await;
                    ticks.reset();
                }
            }
            if *self.health.settled.borrow() && self.health.view().compare() {
                news_at.get_or_insert_with(|| Instant::now() + TOGETHER);
            }
        }
    }

    async fn subscribe(&self) -> Subscription {
        loop {
            match self.bus.subscribe(Pattern::health()).await {
                Ok(beacons) => return beacons,
                Err(error) => tracing::warn!(%error, "replicas can't be heard yet"),
            }
            sleep(PATIENCE).await;
        }
    }

    fn hear(&self, payload: &[u8]) {
        match Beacon::decode(payload) {
            Ok(beacon) => self.health.view().hear(beacon),
            Err(error) => tracing::warn!(%error, "what a replica tells of itself can't be read"),
        }
    }

    /// Tells whoever listens, if it is for this replica to do so.
    async fn tell(&self, cause: Cause) {
        if !self.health.view().speaks() {
            return;
        }
        let frame = self.health.frame(cause).to_string();
        let event = Event {
            channel: Channel::system_health().to_string(),
            epoch: self.epoch.clone(),
            at: now(),
            variants: vec![Variant::json(frame)],
            ..Event::default()
        };
        self.publisher.publish(&[event]).await;
    }
}

/// Waits until the bus is lost, or is back, or may have lost something.
async fn happened(signals: &mut broadcast::Receiver<Signal>) {
    match signals.recv().await {
        Ok(Signal::Disconnected | Signal::Reconnected | Signal::Dropped) | Err(RecvError::Lagged(_)) => {}
        Err(RecvError::Closed) => std::future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// A process that was held up does not make up for it.
fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
