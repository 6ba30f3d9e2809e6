//! Every message to every connection of one server, with so many of them in flight.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::stream::Stream;
use crate::{
    accounts,
    client::Tally,
    instructions::{Counter, Instructions},
    machine::Moment,
    placement::Placement,
    servers::{Kind, Server},
};

/// Caches, branch predictors and sockets get so long before each measurement.
const WARM_UP: Duration = Duration::from_millis(300);
const MILLION: f64 = 1_000_000.0;
/// The channel.
const GROUP: &str = "bench";

/// What one measurement of one server has shown.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Round {
    pub(crate) deliveries: u64,
    pub(crate) deliveries_per_second: f64,
    /// CPU seconds, user and system, per million deliveries.
    pub(crate) server_cpu: f64,
    /// The same of this process: the load client and the publisher.
    pub(crate) client_cpu: f64,
    /// The same of what carries messages to the server: NATS or Redis.
    pub(crate) carrier_cpu: f64,
    /// Instructions of the server per delivery, where the machine counts them.
    pub(crate) instructions: Option<f64>,
    /// From publish to receipt, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// How many deliveries left the client's socket in one read: how much was batched.
    pub(crate) deliveries_per_read: f64,
    pub(crate) bytes_per_delivery: f64,
    /// Cores that other work on the machine took meanwhile.
    pub(crate) others: f64,
}

/// A server with everybody who listens to it, ready to be measured again and again.
pub(crate) struct FanOut {
    server: Server,
    stream: Stream,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    at: Instant,
    server_cpu: f64,
    client_cpu: f64,
    carrier_cpu: f64,
    moment: Moment,
}

impl FanOut {
    /// Starts a server and connects `connections` clients to one of its channels.
    ///
    /// # Errors
    /// A server that doesn't become ready, or refuses a client.
    pub(crate) fn new(
        kind: Kind,
        placement: &Placement,
        connections: usize,
        message_bytes: usize,
    ) -> Result<Self> {
        let server = Server::start(kind, placement)?;
        let stream = Stream::connect(&server, GROUP, connections, message_bytes);
        let stream = stream.with_context(|| server.process.last_words())?;
        Ok(Self { server, stream })
    }

    /// Which server it is.
    pub(crate) fn kind(&self) -> Kind {
        self.server.kind
    }

    /// Answers what the server has asked while others were measured.
    ///
    /// # Errors
    /// A connection that has ended.
    pub(crate) fn attend(&mut self) -> Result<()> {
        self.stream.attend().with_context(|| self.server.process.last_words())
    }

    /// Measures for `period` with `depth` messages in flight, and leaves none behind.
    ///
    /// # Errors
    /// A message that is lost, repeated, out of order or late beyond reason.
    pub(crate) fn measure(
        &mut self,
        depth: usize,
        period: Duration,
        instructions: &Instructions,
    ) -> Result<Round> {
        let round = self.measured(depth, period, instructions);
        round
            .with_context(|| format!("with {depth} in flight"))
            .with_context(|| self.server.process.last_words())
    }

    fn measured(&mut self, depth: usize, period: Duration, instructions: &Instructions) -> Result<Round> {
        self.stream.drive(depth, WARM_UP)?;
        self.stream.reset();
        let counter = instructions.count(self.server.process.id(), period)?;
        let start = self.reading()?;
        let tally = self.stream.drive(depth, period)?;
        let end = self.reading()?;
        let mut round = self.round(start, end, tally);
        self.stream.drain()?;
        round.instructions = counter
            .map(Counter::per_second)
            .transpose()?
            .map(|per_second| per_second / round.deliveries_per_second);
        self.server.process.ensure_running()?;
        Ok(round)
    }

    fn round(&self, start: Reading, end: Reading, tally: Tally) -> Round {
        let deliveries = tally.deliveries as f64;
        let each = |from: f64, to: f64| (to - from) / deliveries * MILLION;
        Round {
            deliveries: tally.deliveries,
            deliveries_per_second: deliveries / (end.at - start.at).as_secs_f64(),
            server_cpu: each(start.server_cpu, end.server_cpu),
            client_cpu: each(start.client_cpu, end.client_cpu),
            carrier_cpu: each(start.carrier_cpu, end.carrier_cpu),
            instructions: None,
            p50: self.stream.micros(0.5),
            p99: self.stream.micros(0.99),
            deliveries_per_read: deliveries / tally.reads as f64,
            bytes_per_delivery: tally.bytes as f64 / deliveries,
            others: start.moment.others_until(end.moment),
        }
    }

    fn reading(&self) -> Result<Reading> {
        let moment = Moment::now()?;
        let server_cpu = accounts::cpu_seconds(self.server.process.id())?;
        let client_cpu = accounts::cpu_seconds(std::process::id())?;
        let carrier_cpu = self.server.carrier_cpu()?;
        Ok(Reading { at: Instant::now(), server_cpu, client_cpu, carrier_cpu, moment })
    }
}
