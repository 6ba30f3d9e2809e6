//! Counting out those who have gone without a word, for as long as gateways could say that they are there.

use std::time::Duration;

use carillon_bus::{Bus, Signal};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::sleep,
};
use tokio_util::sync::CancellationToken;

use crate::{Announcer, Presence};

impl<A: Announcer> Presence<A> {
    /// [Sweeps](Self::run) until `shutdown`, but not while the bus is away: nobody can renew a lease
    /// then, and nobody has left for that. When it is back, leases are spared for as long as after a start.
    pub async fn keep(&self, bus: &Bus, shutdown: CancellationToken) {
        let mut signals = bus.signals();
        while !shutdown.is_cancelled() {
            becomes(bus, &mut signals, true, &shutdown).await;
            let connected = shutdown.child_token();
            let sweeping = self.run(connected.clone());
            let watching = async {
                becomes(bus, &mut signals, false, &shutdown).await;
                connected.cancel();
            };
            tokio::join!(sweeping, watching);
        }
    }
}

/// How often to look at the bus: it doesn't signal that it is connected for the first time.
const LOOK: Duration = Duration::from_secs(1);

/// Waits until the bus is connected, or isn't, or for the shutdown.
async fn becomes(bus: &Bus, signals: &mut Receiver<Signal>, connected: bool, shutdown: &CancellationToken) {
    while bus.is_connected() != connected {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = sleep(LOOK) => {}
            signal = signals.recv() => if matches!(signal, Err(RecvError::Closed)) {
                return shutdown.cancelled().await;
            },
        }
    }
}
