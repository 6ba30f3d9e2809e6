//! Round trips to the server: they prove that it has processed what was sent before.
//!
//! The client's own flush returns when the bytes have left this process, which proves nothing.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{Client, connection::State};
use bytes::Bytes;
use tokio::{
    sync::{Notify, oneshot},
    time,
};
use tracing::info;

use super::inbox::{Inbox, Lost};
use crate::signal::{Signal, Signals};

/// How long one round trip may take before it is tried again.
const ROUND_TRIP: Duration = Duration::from_secs(2);

/// Who waits for a round trip. All who came before it began share it.
#[derive(Debug, Default)]
pub(super) struct Confirmations {
    waiting: Mutex<Vec<oneshot::Sender<()>>>,
    reconnected: AtomicBool,
    work: Notify,
}

impl Confirmations {
    /// Waits for a round trip that begins now or later. False if the connection was lost meanwhile.
    pub(super) async fn confirm(&self) -> bool {
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        self.work.notify_one();
        receiver.await.is_ok()
    }

    /// The connection is back: it is announced when the server has the subscriptions again.
    pub(super) fn announce_reconnection(&self) {
        self.reconnected.store(true, Ordering::Release);
        self.work.notify_one();
    }

    /// Makes the round trips.
    pub(super) async fn run(self: Arc<Self>, client: Client, inbox: Arc<Inbox>, signals: Arc<Signals>) {
        loop {
            self.work.notified().await;
            let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
            let reconnected = self.reconnected.swap(false, Ordering::AcqRel);
            if round_trip(&client, &inbox).await.is_ok() {
                if reconnected {
                    info!("the bus is connected again");
                    signals.send(Signal::Reconnected);
                }
                for waiting in waiting {
                    // Who waited may be gone.
                    let _ = waiting.send(());
                }
            } else if reconnected {
                // Told after the next connection, or tried again on this one.
                self.reconnected.store(true, Ordering::Release);
                if client.connection_state() == State::Connected {
                    self.work.notify_one();
                }
            }
        }
    }
}

async fn round_trip(client: &Client, inbox: &Arc<Inbox>) -> Result<(), Lost> {
    let expected = inbox.expect();
    let there_and_back = async {
        client.publish(expected.address(), Bytes::new()).await.map_err(|_| Lost)?;
        expected.reply().await.map(drop)
    };
    time::timeout(ROUND_TRIP, there_and_back).await.unwrap_or(Err(Lost))
}
