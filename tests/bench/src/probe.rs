//! A channel that nobody disturbs: what its listeners notice of what else a server does.
//!
//! Messages are due at fixed times, whether or not those before have arrived, and their latency counts from
//! then: a server that stalls can't hide it by delaying the next message.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Error, Result, ensure};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    client::{Audience, Window, stamp},
    fan_out::LONGEST,
    servers::{Publisher, Seat, Server},
};

const GROUP: &str = "probe";
/// No delivery for so long means that a message is lost.
const PATIENCE: Duration = Duration::from_secs(20);
const MESSAGE_BYTES: usize = 128;
/// Users of probes are numbered from here on, beyond all others'.
const FIRST_USER: usize = 1_000_000;

/// How a probe is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) listeners: usize,
    /// The time between two messages.
    pub(crate) interval: Duration,
}

/// What the listeners of a probe have noticed in a period, in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Noticed {
    pub(crate) deliveries: u64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) longest: f64,
}

/// A channel with its publisher and its listeners, on a thread of their own.
pub(crate) struct Probe {
    latency: Arc<Mutex<Histogram<u32>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Result<()>>>,
}

struct Listening {
    pace: Pace,
    audience: Audience,
    publisher: Publisher,
    latency: Arc<Mutex<Histogram<u32>>>,
    stop: Arc<AtomicBool>,
}

impl Probe {
    /// Connects the listeners, and begins to publish to them.
    ///
    /// # Errors
    /// A server that refuses them.
    pub(crate) fn start(server: &Server, pace: Pace) -> Result<Self> {
        let guests = server.guests(Seat::Shared(GROUP), FIRST_USER, pace.listeners);
        let audience = Audience::connect(server.address, &guests, stamp)?;
        let latency = Arc::new(Mutex::new(Histogram::new_with_max(LONGEST, 3)?));
        let stop = Arc::new(AtomicBool::new(false));
        let publisher = server.publisher(GROUP)?;
        let listening = Listening { pace, audience, publisher, latency: latency.clone(), stop: stop.clone() };
        Ok(Self { latency, stop, thread: Some(thread::spawn(move || listening.run())) })
    }

    /// Forgets what was noticed so far.
    pub(crate) fn forget(&self) {
        self.latency().reset();
    }

    /// What was noticed since it was last forgotten.
    ///
    /// # Errors
    /// What has ended the probe: a message that was lost, repeated or out of order.
    pub(crate) fn noticed(&mut self) -> Result<Noticed> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            self.end()?;
        }
        let latency = self.latency();
        ensure!(!latency.is_empty(), "nothing was published meanwhile");
        let micros = |quantile| latency.value_at_quantile(quantile) as f64 / 1_000.0;
        let (deliveries, longest) = (latency.len(), latency.max() as f64 / 1_000.0);
        Ok(Noticed { deliveries, p50: micros(0.5), p99: micros(0.99), longest })
    }

    /// Ends it.
    ///
    /// # Errors
    /// As [`noticed`](Self::noticed).
    pub(crate) fn end(&mut self) -> Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let ended = thread.join().map_err(|_| Error::msg("the probe has panicked"))?;
        ended.context("on the undisturbed channel")
    }

    fn latency(&self) -> MutexGuard<'_, Histogram<u32>> {
        self.latency.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // Whatever else went wrong is what is told.
        let _ = self.end();
    }
}

impl Listening {
    fn run(mut self) -> Result<()> {
        let mut window = Window::new(self.pace.listeners);
        let interval = u64::try_from(self.pace.interval.as_nanos())?;
        let (mut due, mut last) = (self.audience.clock().now(), Instant::now());
        while !self.stop.load(Ordering::Relaxed) {
            while self.audience.clock().now() >= due {
                let next = window.fill(window.in_flight() + 1);
                self.publisher.publish(next, due, MESSAGE_BYTES)?;
                due += interval;
            }
            let wait = Duration::from_nanos(due.saturating_sub(self.audience.clock().now()));
            let mut latency = Vec::new();
            let tally = self.audience.turn(wait, |stamp, arrived| {
                window.received(stamp.sequence)?;
                latency.push(arrived.saturating_sub(stamp.sent));
                Ok(())
            })?;
            if tally.deliveries > 0 {
                last = Instant::now();
                self.record(&latency)?;
            }
            ensure!(last.elapsed() < PATIENCE, "{} messages did not arrive", window.in_flight());
        }
        Ok(())
    }

    fn record(&self, latencies: &[u64]) -> Result<()> {
        let mut histogram = self.latency.lock().unwrap_or_else(PoisonError::into_inner);
        latencies.iter().try_for_each(|latency| histogram.record(*latency).map_err(Error::from))
    }
}
