//! What the cases run on.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use carillon_bus::{Bus, Handler, Limits, Message, NatsOptions, Refusal, Signal, Subscription};
use futures_util::StreamExt;
use tokio::{sync::broadcast, time};

use crate::nats_server::NatsServer;

/// Long enough for a loaded machine; only a test that fails waits for it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// What a deployment configures.
pub(crate) const CONFIGURATION: &str = "max_payload: 8MB\n";

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    InProcess,
    Nats,
}

/// A bus that several services use.
pub(crate) struct Bed {
    limits: Limits,
    place: Place,
}

enum Place {
    InProcess(Bus),
    Nats(NatsServer),
}

impl Kind {
    pub(crate) fn start(self) -> Bed {
        self.start_with(Limits::default())
    }

    pub(crate) fn start_with(self, limits: Limits) -> Bed {
        let place = match self {
            Self::InProcess => Place::InProcess(Bus::in_process_with(limits)),
            Self::Nats => Place::Nats(NatsServer::start(CONFIGURATION)),
        };
        Bed { limits, place }
    }
}

impl Bed {
    /// The bus as one more service sees it: over NATS, a connection of its own.
    pub(crate) async fn bus(&self) -> Bus {
        match &self.place {
            Place::InProcess(bus) => bus.clone(),
            Place::Nats(server) => connect(server, self.limits).await,
        }
    }
}

/// A connection to a server that is up.
pub(crate) async fn connect(server: &NatsServer, limits: Limits) -> Bus {
    let mut options = NatsOptions::new(server.url(), "test");
    options.limits = limits;
    let bus = Bus::connect(options).await.expect("a bus");
    eventually("a connection", || bus.is_connected()).await;
    bus
}

/// Waits for something to be so.
pub(crate) async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let looking = async {
        while !is_so() {
            time::sleep(Duration::from_millis(2)).await;
        }
    };
    time::timeout(DEADLINE, looking).await.unwrap_or_else(|_| panic!("waited in vain for {what}"));
}

/// Waits for a future that should end soon.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    time::timeout(DEADLINE, future).await.expect("an end within the deadline")
}

pub(crate) async fn next(subscription: &mut Subscription) -> Message {
    soon(subscription.next()).await.expect("a message")
}

pub(crate) async fn next_text(subscription: &mut Subscription) -> String {
    String::from_utf8(next(subscription).await.payload.to_vec()).expect("text")
}

/// Waits for a signal, past others.
pub(crate) async fn signalled(signals: &mut broadcast::Receiver<Signal>, wanted: Signal) {
    while soon(signals.recv()).await.expect("a signal") != wanted {}
}

/// Answers with what it was asked, and counts.
#[derive(Clone, Default)]
pub(crate) struct Echo {
    pub(crate) calls: Arc<AtomicUsize>,
}

impl Echo {
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Handler for Echo {
    async fn handle(&self, _: &str, payload: Bytes) -> Result<Bytes, Refusal> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Ok(payload)
    }
}
