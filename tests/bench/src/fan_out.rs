//! Fan-out: every message to every connection, with so many of them in flight.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{
    accounts,
    audience::Audience,
    intake::Tally,
    placement::Placement,
    publisher::Publisher,
    server::{Kind, Server},
    window::Window,
};

/// Caches, branch predictors and sockets get so long before each measurement.
const WARM_UP: Duration = Duration::from_millis(300);
/// No delivery for so long means that a message is lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest latency that is told from others, in nanoseconds.
const LONGEST: u64 = 60_000_000_000;
const MILLION: f64 = 1_000_000.0;

/// What one measurement of one server has shown.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Round {
    pub(crate) deliveries: u64,
    pub(crate) deliveries_per_second: f64,
    /// CPU seconds, user and system, per million deliveries.
    pub(crate) server_cpu: f64,
    /// The same of this process: the load client and the publisher.
    pub(crate) client_cpu: f64,
    /// From publish to receipt, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// How many deliveries left the client's socket in one read: how much was batched.
    pub(crate) deliveries_per_read: f64,
    pub(crate) bytes_per_delivery: f64,
}

/// A server with everybody who listens to it, ready to be measured again and again.
pub(crate) struct FanOut {
    server: Server,
    publisher: Publisher,
    audience: Audience,
    window: Window,
    latency: Histogram<u32>,
    message_bytes: usize,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    server_cpu: f64,
    client_cpu: f64,
}

impl FanOut {
    /// Starts a server and connects `connections` clients to one of its channels.
    pub(crate) fn new(
        kind: Kind,
        placement: &Placement,
        connections: usize,
        message_bytes: usize,
    ) -> Result<Self> {
        let server = Server::start(kind, placement)?;
        let publisher = server.publisher()?;
        let audience = Audience::connect(server.address, server.path(), connections)?;
        let window = Window::new(connections);
        let latency = Histogram::new_with_max(LONGEST, 3)?;
        Ok(Self { server, publisher, audience, window, latency, message_bytes })
    }

    /// Which server it is.
    pub(crate) fn kind(&self) -> Kind {
        self.server.kind
    }

    /// Measures for `period` with `depth` messages in flight, and leaves none behind.
    ///
    /// # Errors
    /// A message that is lost, repeated, out of order or late beyond reason.
    pub(crate) fn measure(&mut self, depth: usize, period: Duration) -> Result<Round> {
        let round = self.measured(depth, period);
        round
            .with_context(|| format!("with {depth} in flight"))
            .with_context(|| self.server.process.last_words())
    }

    fn measured(&mut self, depth: usize, period: Duration) -> Result<Round> {
        self.drive(depth, WARM_UP)?;
        self.latency.reset();
        let start = self.reading()?;
        let tally = self.drive(depth, period)?;
        let end = self.reading()?;
        let round = self.round(start, end, tally);
        self.drain()?;
        self.server.process.ensure_running()?;
        Ok(round)
    }

    fn round(&self, start: Reading, end: Reading, tally: Tally) -> Round {
        let deliveries = tally.deliveries as f64;
        let micros = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1_000.0;
        Round {
            deliveries: tally.deliveries,
            deliveries_per_second: deliveries / (end.at - start.at).as_secs_f64(),
            server_cpu: (end.server_cpu - start.server_cpu) / deliveries * MILLION,
            client_cpu: (end.client_cpu - start.client_cpu) / deliveries * MILLION,
            p50: micros(0.5),
            p99: micros(0.99),
            deliveries_per_read: deliveries / tally.reads as f64,
            bytes_per_delivery: tally.bytes as f64 / deliveries,
        }
    }

    fn reading(&self) -> Result<Reading> {
        let server_cpu = accounts::cpu_seconds(self.server.process.id())?;
        let client_cpu = accounts::cpu_seconds(std::process::id())?;
        Ok(Reading { at: Instant::now(), server_cpu, client_cpu })
    }

    fn drive(&mut self, depth: usize, period: Duration) -> Result<Tally> {
        let start = Instant::now();
        let mut total = Tally::default();
        while start.elapsed() < period {
            let due = self.window.fill(depth);
            if !due.is_empty() {
                self.publisher.publish(due, self.audience.clock().now(), self.message_bytes)?;
            }
            total += self.turn()?;
        }
        Ok(total)
    }

    /// Waits until everybody has everything.
    fn drain(&mut self) -> Result<()> {
        while self.window.in_flight() > 0 {
            self.turn()?;
        }
        Ok(())
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
