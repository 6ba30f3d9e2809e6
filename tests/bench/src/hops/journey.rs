//! Notifications on their way through every hop.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use carillon_testkit::{Cluster, Durability, JWT_SECRET, Options, Processes, hs256, simple_jwt_claims};
use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::json;

use super::{Arguments, poster::Poster};
use crate::{
    client::{Audience, Guests, Stamp},
    fan_out::LONGEST,
    machine::Moment,
    rooms::Speech,
};

/// No delivery for so long means that a message is lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections, caches and statements get so long before the first measurement.
const WARM_UP: Duration = Duration::from_millis(500);

/// What one measurement has shown: latencies are from before the request is written to each client's receipt, in
/// microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Journey {
    pub(crate) messages: u64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) longest: f64,
    /// Until the answer to the request.
    pub(crate) answer_p50: f64,
    /// Cores that other work on the machine took meanwhile.
    pub(crate) others: f64,
}

/// Measures on a cluster of its own.
pub(super) fn measure(arguments: &Arguments) -> Result<Vec<Journey>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cluster = runtime.block_on(Cluster::start(options()))?;
    let deployment = cluster.deployment();
    let marks = deployment.marks();
    let measured = || {
        let gateway: SocketAddr = deployment.gateways()[0].http.trim_start_matches("http://").parse()?;
        let mut stage = Stage::new(gateway, arguments)?;
        stage.travel(WARM_UP)?;
        let once = |pair| {
            eprintln!("every hop, {pair} of {}", arguments.pairs);
            stage.travel(Duration::from_secs_f64(arguments.seconds))
        };
        (1..=arguments.pairs).map(once).collect::<Result<Vec<_>>>()
    };
    measured().with_context(|| deployment.tails(&marks))
}

/// A gateway, auth and notification on NATS and Postgres, which waits for the disk.
fn options() -> Options {
    let unlimited = ["connections-per-address", "reconnections-per-hour", "handshakes-per-second"];
    Options {
        durability: Durability::Disk,
        processes: Processes { services: &["auth", "notification"], replicas: 1, second_gateway: false },
        gateway_arguments: unlimited
            .iter()
            .flat_map(|limit| [format!("--{limit}"), "1000000".to_owned()])
            .collect(),
        environment: vec![("CARILLON_LOG".to_owned(), "warn".to_owned())],
        ..Options::default()
    }
}

struct Stage {
    audience: Audience,
    poster: Poster,
    clients: usize,
    bytes: usize,
    sent: u64,
}

impl Stage {
    fn new(gateway: SocketAddr, arguments: &Arguments) -> Result<Self> {
        let path = |user: usize| {
            let token = hs256(JWT_SECRET, &simple_jwt_claims(&json!(user)));
            format!("/ws/notifications/?token={token}")
        };
        let guests = Guests::new((1..=arguments.clients).map(path).collect());
        let audience = Audience::connect(gateway, &guests, find_stamp)?;
        let poster = Poster::connect(gateway)?;
        Ok(Self { audience, poster, clients: arguments.clients, bytes: arguments.message_bytes, sent: 0 })
    }

    /// Sends one notification after the other, each when everybody has the one before.
    fn travel(&mut self, period: Duration) -> Result<Journey> {
        let mut latency: Histogram<u32> = Histogram::new_with_max(LONGEST, 3)?;
        let mut answers: Histogram<u32> = Histogram::new_with_max(LONGEST, 3)?;
        let (moment, start, first) = (Moment::now()?, Instant::now(), self.sent);
        while start.elapsed() < period {
            self.sent += 1;
            let sent = self.audience.clock().now();
            let text = Speech { speaker: 0, number: self.sent, sent }.text(self.bytes);
            self.poster.send(&text)?;
            self.arrive(&mut latency)?;
            self.poster.answered()?;
            answers.record(self.audience.clock().now() - sent)?;
        }
        let others = moment.others_until(Moment::now()?);
        let micros =
            |histogram: &Histogram<u32>, quantile| histogram.value_at_quantile(quantile) as f64 / 1_000.0;
        Ok(Journey {
            messages: self.sent - first,
            p50: micros(&latency, 0.5),
            p99: micros(&latency, 0.99),
            longest: latency.max() as f64 / 1_000.0,
            answer_p50: micros(&answers, 0.5),
            others,
        })
    }

    /// Until everybody has the message.
    fn arrive(&mut self, latency: &mut Histogram<u32>) -> Result<()> {
        let (mut lacking, since) = (self.clients as u64, Instant::now());
        while lacking > 0 {
            let record = |stamp: Stamp, arrived: u64| Ok(latency.record(arrived.saturating_sub(stamp.sent))?);
            lacking -= self.audience.turn(PATIENCE, record)?.deliveries;
            ensure!(since.elapsed() < PATIENCE, "{lacking} of {} clients lack a message", self.clients);
        }
        Ok(())
    }
}

/// The number and time in a notification's text.
fn find_stamp(text: &[u8]) -> Result<Option<Stamp>> {
    Ok(Speech::read(text)?.map(|Speech { number, sent, .. }| Stamp { sequence: number, sent }))
}
