//! How much of everything one client may have: connections, handshakes, messages.
//!
//! - [`quotas`] are the limits of a deployment, [`mode`] what they are by default;
//! - [`census`] counts connections and reconnections by address and user, over all gateways; it is looked at
//!   once for each handshake, and never for a delivery or a frame;
//! - [`teller`] carries what gateways tell each other about that over the bus;
//! - [`permit`] is what a connection holds of the limits while it lives;
//! - [`window`] counts what happens within a time, the messages of a connection as well.

mod census;
mod elsewhere;
mod handshakes;
mod mode;
mod peer;
mod permit;
mod quotas;
mod source;
mod teller;
mod window;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Notify;

use census::Census;
pub(crate) use census::Over;
pub(crate) use elsewhere::Elsewhere;
pub use mode::Mode;
pub(crate) use permit::Permit;
pub(crate) use quotas::Quotas;
use source::Source;
pub(crate) use teller::tell;
use window::Span;
pub(crate) use window::Window;

/// The limits of one gateway, and who is how far from them. Shared by its workers.
pub(crate) struct Limits {
    pub(crate) quotas: Quotas,
    census: Mutex<Census>,
    /// There is something to tell other gateways.
    changed: Notify,
    connections: AtomicU64,
    handshakes: Mutex<Window>,
    clock: Clock,
}

/// Why a gateway takes no more at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overload {
    /// As many connections as it may have.
    Connections,
    /// As many handshakes in this second as it takes.
    Handshakes,
}

impl Overload {
    /// The label in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "max_connections",
            Self::Handshakes => "handshakes",
        }
    }
}

/// Milliseconds since 1970 as of the start, and steady since.
struct Clock {
    began: Instant,
    began_at: u64,
}

impl Limits {
    /// `gateway`: its name among gateways.
    pub(crate) fn new(gateway: &str, quotas: Quotas) -> Arc<Self> {
        Arc::new(Self {
            quotas,
            census: Mutex::new(Census::new(gateway, quotas)),
            changed: Notify::new(),
            connections: AtomicU64::new(0),
            handshakes: Mutex::default(),
            clock: Clock::start(),
        })
    }

    /// A permit for one more connection, as far as this gateway is concerned.
    ///
    /// # Errors
    /// There is none at present.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Permit, Overload> {
        let most = u64::from(self.quotas.connections);
        // Held from here on: of two that come at once only one gets the last permit.
        let permit = Permit::new(self.clone());
        if most > 0 && self.connections.load(Ordering::Relaxed) > most {
            return Err(Overload::Connections);
        }
        let most = self.quotas.handshakes_per_second;
        if most > 0 {
            let slot = Quotas::HANDSHAKES.slot(self.now());
            let mut handshakes = self.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
            if handshakes.total(slot) >= most {
                return Err(Overload::Handshakes);
            }
            handshakes.add(slot, 1);
        }
        Ok(permit)
    }

    /// The slot in which a message counts that is sent now.
    pub(crate) fn message_slot(&self) -> u64 {
        self.quotas.message_span().slot(self.now())
    }

    /// Connections that other gateways have, as far as they have told: by address, and by user.
    pub(crate) fn elsewhere(&self) -> (u64, u64) {
        self.census().elsewhere()
    }

    /// Seconds, rounded up, until a connection with these messages, which are too many, may send another.
    pub(crate) fn message_pause(&self, messages: &Window) -> u64 {
        let (span, now) = (self.quotas.message_span(), self.now());
        let free = messages.free_from(span.slot(now), self.quotas.messages_per_minute);
        span.until(free, now).div_ceil(1_000).max(1)
    }

    fn now(&self) -> u64 {
        self.clock.now()
    }

    fn census(&self) -> MutexGuard<'_, Census> {
        self.census.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has something done that others are told of.
    fn change<T>(&self, change: impl FnOnce(&mut Census) -> T) -> T {
        let done = change(&mut self.census());
        self.changed.notify_one();
        done
    }
}

impl Clock {
    fn start() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), began_at: u64::try_from(now.as_millis()).unwrap_or(0) }
    }

    fn now(&self) -> u64 {
        self.began_at + u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX / 2)
    }
}
