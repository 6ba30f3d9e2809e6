//! What the client tells about the connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{Client, Event, connection::State};
use tokio::{sync::Notify, time};
use tracing::{debug, info, warn};

use super::{confirm::Confirmations, inbox::Inbox, trouble::Trouble};
use crate::signal::{Signal, Signals};

/// How often to look at the connection while waiting for it, should its event get lost.
const LOOK: Duration = Duration::from_millis(250);

/// Turns the client's events into signals.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) signals: Arc<Signals>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) confirmations: Arc<Confirmations>,
    pub(super) trouble: Trouble,
    connected_before: AtomicBool,
    complained: AtomicBool,
    connected: Notify,
}

impl Link {
    pub(super) fn new(inbox: Arc<Inbox>) -> Arc<Self> {
        Arc::new(Self {
            signals: Signals::new(),
            inbox,
            confirmations: Arc::default(),
            trouble: Trouble::default(),
            connected_before: AtomicBool::new(false),
            complained: AtomicBool::new(false),
            connected: Notify::new(),
        })
    }

    pub(super) fn on(&self, event: Event) {
        match event {
            Event::Connected => self.on_connected(),
            Event::Disconnected => {
                warn!("the bus is disconnected");
                self.signals.send(Signal::Disconnected);
                self.inbox.lose_all();
            }
            Event::SlowConsumer(_) => self.signals.dropped(),
            Event::ServerError(error) => warn!(%error, "the bus refused something"),
            Event::ClientError(error) => self.on_failed_attempt(&error),
            Event::LameDuckMode | Event::Draining | Event::Closed => info!(%event, "the bus is closing"),
        }
    }

    fn on_connected(&self) {
        self.complained.store(false, Ordering::Relaxed);
        self.connected.notify_waiters();
        if self.connected_before.swap(true, Ordering::AcqRel) {
            self.confirmations.announce_reconnection();
        } else {
            info!("the bus is connected");
        }
    }

    /// One warning for an outage, however many attempts it takes: at the second, when it is known why the first failed.
    fn on_failed_attempt(&self, kind: &async_nats::ClientError) {
        match self.trouble.reason() {
            Some(error) if !self.complained.swap(true, Ordering::Relaxed) => {
                warn!(%error, "the bus is out of reach; trying on");
            }
            _ => debug!(%kind, "the bus is out of reach"),
        }
    }

    /// Waits for a connection.
    pub(super) async fn connected(&self, client: &Client) {
        loop {
            let connected = self.connected.notified();
            if client.connection_state() == State::Connected {
                return;
            }
            // Either way the state is looked at again.
            let _ = time::timeout(LOOK, connected).await;
        }
    }
}
