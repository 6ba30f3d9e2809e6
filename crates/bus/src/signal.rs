//! What the bus tells its users about itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use carillon_instruments::{IntCounter, Registry};
use tokio::sync::broadcast;

use crate::metrics;

/// How many signals wait for a receiver that does not look.
const CAPACITY: usize = 64;

/// For how long drops that follow a first one are told of together.
const SETTLE: Duration = Duration::from_millis(100);

/// Something happened to the bus that can have cost messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// The connection is gone; the bus is reconnecting.
    Disconnected,
    /// The connection is back and every subscription with it. What was published in between is lost.
    Reconnected,
    /// Messages were dropped since a subscription's queue was full.
    Dropped,
}

/// Sends signals, those for drops no more often than every [`SETTLE`].
#[derive(Debug)]
pub(crate) struct Signals {
    sender: broadcast::Sender<Signal>,
    /// Drops since the last quiet moment.
    drops: AtomicU64,
    /// How often there was what, since the start.
    pub(crate) dropped: IntCounter,
    disconnections: IntCounter,
    pub(crate) reconnections: AtomicU64,
}

impl Signals {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            sender: broadcast::Sender::new(CAPACITY),
            drops: AtomicU64::new(0),
            dropped: metrics::counter(
                "carillon_bus_dropped_messages_total",
                "Messages of the bus that were dropped, because whoever listens did not keep up.",
            ),
            disconnections: metrics::counter(
                "carillon_bus_disconnections_total",
                "How often the connection to the bus was lost.",
            ),
            reconnections: AtomicU64::new(0),
        })
    }

    /// Adds what it has counted to a registry.
    pub(crate) fn register(&self, registry: &Registry) -> carillon_instruments::Result<()> {
        registry.register(Box::new(self.dropped.clone()))?;
        registry.register(Box::new(self.disconnections.clone()))
    }

    pub(crate) fn receiver(&self) -> broadcast::Receiver<Signal> {
        self.sender.subscribe()
    }

    pub(crate) fn send(&self, signal: Signal) {
        match signal {
            Signal::Disconnected => self.disconnections.inc(),
            Signal::Reconnected => drop(self.reconnections.fetch_add(1, Ordering::Relaxed)),
            Signal::Dropped => {}
        }
        // Nobody has to listen.
        let _ = self.sender.send(signal);
    }

    /// A message was dropped. There is always a signal after the last drop, since a receiver
    /// that acts on an earlier one would miss what is dropped while it does.
    pub(crate) fn dropped(self: &Arc<Self>) {
        self.dropped.inc();
        if self.drops.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        self.send(Signal::Dropped);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(Arc::clone(self).settle())),
            Err(_) => self.drops.store(0, Ordering::Release),
        }
    }

    async fn settle(self: Arc<Self>) {
        let mut told = 1;
        loop {
            tokio::time::sleep(SETTLE).await;
            match self.drops.compare_exchange(told, 0, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(drops) => {
                    told = drops;
                    self.send(Signal::Dropped);
                }
            }
        }
    }
}
