//! One channel of a server with its publisher and everybody who listens to it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;

use crate::{
    client::{Audience, Tally, Window, stamp},
    servers::{Publisher, Seat, Server},
};

/// No delivery for so long means that a message is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest latency that is told from others, in nanoseconds.
pub(crate) const LONGEST: u64 = 60_000_000_000;

/// Messages on their way to an audience.
pub(crate) struct Stream {
    publisher: Publisher,
    audience: Audience,
    window: Window,
    latency: Histogram<u32>,
    message_bytes: usize,
}

impl Stream {
    /// Connects so many clients to the channel of a group.
    ///
    /// # Errors
    /// A client that is refused, or not served in time.
    pub(crate) fn connect(
        server: &Server,
        group: &'static str,
        connections: usize,
        message_bytes: usize,
    ) -> Result<Self> {
        let guests = server.guests(Seat::Shared(group), 1, connections);
        Ok(Self {
            publisher: server.publisher(group)?,
            audience: Audience::connect(server.address, &guests, stamp)?,
            window: Window::new(connections),
            latency: Histogram::new_with_max(LONGEST, 3)?,
            message_bytes,
        })
    }

    /// Answers what the server has asked while nobody listened.
    ///
    /// # Errors
    /// A connection that has ended.
    pub(crate) fn attend(&mut self) -> Result<()> {
        self.audience.attend()
    }

    /// A quantile of the latencies since the last [`reset`](Self::reset), in microseconds.
    pub(crate) fn micros(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// Forgets the latencies.
    pub(crate) fn reset(&mut self) {
        self.latency.reset();
    }

    /// Keeps `depth` messages in flight for `period`.
    ///
    /// # Errors
    /// A message that is lost, repeated, out of order or late beyond reason.
    pub(crate) fn drive(&mut self, depth: usize, period: Duration) -> Result<Tally> {
        let start = Instant::now();
        let mut total = Tally::default();
        while start.elapsed() < period {
            self.fill(depth)?;
            total += self.turn()?;
        }
        Ok(total)
    }

    /// Publishes one message each `interval` for `period`, or later where the one before is still under way.
    ///
    /// # Errors
    /// As [`drive`](Self::drive).
    pub(crate) fn pace(&mut self, interval: Duration, period: Duration) -> Result<Tally> {
        let start = Instant::now();
        let (mut total, mut due) = (Tally::default(), start);
        while start.elapsed() < period {
            self.fill(1)?;
            total += self.drain()?;
            due += interval;
            let left = due.saturating_duration_since(Instant::now());
            self.audience.stay_quiet(left)?;
        }
        Ok(total)
    }

    /// Waits until everybody has everything.
    ///
    /// # Errors
    /// As [`drive`](Self::drive).
    pub(crate) fn drain(&mut self) -> Result<Tally> {
        let mut total = Tally::default();
        while self.window.in_flight() > 0 {
            total += self.turn()?;
        }
        Ok(total)
    }

    fn fill(&mut self, depth: usize) -> Result<()> {
        let due = self.window.fill(depth);
        if due.is_empty() {
            return Ok(());
        }
        self.publisher.publish(due, self.audience.clock().now(), self.message_bytes)
    }

    /// Receives until there was at least one delivery.
    fn turn(&mut self) -> Result<Tally> {
        let Self { window, latency, audience, .. } = self;
        let mut total = Tally::default();
        let since = Instant::now();
        while total.deliveries == 0 {
            total += audience.turn(PATIENCE, |stamp, arrived| {
                window.received(stamp.sequence)?;
                Ok(latency.record(arrived.saturating_sub(stamp.sent))?)
            })?;
            ensure!(
                total.deliveries > 0 || since.elapsed() < PATIENCE,
                "{} messages did not reach all of {} connections",
                window.in_flight(),
                audience.len()
            );
        }
        Ok(total)
    }
}
