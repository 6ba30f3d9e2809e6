//! A back end that notifies everyone, and takes nothing for sent before it was told so.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Context, bail, ensure};
use carillon_testkit::{Api, DEADLINE, Gateway, send, unique};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Duration, Instant, sleep, timeout},
};

/// How many of its workers send at the same time, each one notification after the other.
const WORKERS: usize = 4;

/// How long after a refusal it tries again.
const PAUSE: Duration = Duration::from_millis(50);

/// One notification, as its sender numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sent {
    worker: u64,
    number: u64,
}

impl Sent {
    /// Reads it back from what a client received.
    pub(super) fn read(notification: &Value) -> anyhow::Result<Self> {
        let number = |field: &str| notification[field].as_u64().with_context(|| format!("{notification}"));
        Ok(Self { worker: number("worker")?, number: number("number")? })
    }
}

/// A back end at work.
pub(super) struct Publisher {
    workers: JoinSet<anyhow::Result<Vec<Sent>>>,
    accepted: watch::Receiver<usize>,
    /// How many notifications are enough.
    enough: Arc<AtomicUsize>,
}

impl Publisher {
    /// Starts to send through both gateways.
    pub(super) fn start(gateways: &[Gateway; 2], token: &str) -> Self {
        let (count, accepted) = watch::channel(0);
        let (count, enough) = (Arc::new(count), Arc::new(AtomicUsize::new(usize::MAX)));
        let mut workers = JoinSet::new();
        for number in 0..WORKERS {
            let preference = [&gateways[number % 2], &gateways[1 - number % 2]];
            let apis = preference.map(|gateway| gateway.api().with_token(token));
            let worker = Worker { number, apis, key: unique("notification") };
            workers.spawn(worker.work(count.clone(), enough.clone()));
        }
        Self { workers, accepted, enough }
    }

    /// Waits until so many more are accepted.
    pub(super) async fn progress(&mut self, more: usize) -> anyhow::Result<()> {
        let enough = *self.accepted.borrow() + more;
        tokio::select! {
            accepted = timeout(2 * DEADLINE, self.accepted.wait_for(|count| *count >= enough)) => {
                accepted.with_context(|| format!("{more} more notifications were not accepted"))??;
                Ok(())
            }
            Some(ended) = self.workers.join_next() => bail!("a worker ended: {ended:?}"),
        }
    }

    /// Stops when that many are accepted, and tells which.
    pub(super) async fn finish(mut self, enough: usize) -> anyhow::Result<Vec<Sent>> {
        self.enough.store(enough, Ordering::Relaxed);
        let mut accepted = Vec::new();
        while let Some(ended) = self.workers.join_next().await {
            accepted.extend(ended??);
        }
        Ok(accepted)
    }
}

/// Checks that exactly what was accepted was received: each once, and each worker's in its order.
pub(super) fn accepted_in_order(received: &[Sent], accepted: &[Sent]) -> anyhow::Result<()> {
    let mut next: BTreeMap<u64, u64> = BTreeMap::new();
    for sent in received {
        let expected = next.entry(sent.worker).or_default();
        ensure!(sent.number == *expected, "expected number {expected} of a worker, got {sent:?}");
        *expected += 1;
    }
    let (mut received, mut accepted) = (received.to_vec(), accepted.to_vec());
    received.sort_unstable();
    accepted.sort_unstable();
    ensure!(received == accepted, "received {}, accepted {}", received.len(), accepted.len());
    Ok(())
}

struct Worker {
    number: usize,
    /// The gateway that it prefers, and the other.
    apis: [Api; 2],
    key: String,
}

impl Worker {
    async fn work(
        self,
        count: Arc<watch::Sender<usize>>,
        enough: Arc<AtomicUsize>,
    ) -> anyhow::Result<Vec<Sent>> {
        let mut accepted = Vec::new();
        while *count.borrow() < enough.load(Ordering::Relaxed) {
            let sent = Sent { worker: self.number as u64, number: accepted.len() as u64 };
            self.send(sent).await.with_context(|| format!("{sent:?}"))?;
            accepted.push(sent);
            count.send_modify(|count| *count += 1);
        }
        Ok(accepted)
    }

    /// Tries at one gateway and the other until it is told that the notification is accepted.
    async fn send(&self, sent: Sent) -> anyhow::Result<()> {
        let deadline = Instant::now() + 2 * DEADLINE;
        for api in self.apis.iter().cycle() {
            match self.attempt(api, sent).await {
                Ok(()) => return Ok(()),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing(error)) if Instant::now() > deadline => return Err(error),
                Err(Failure::Passing(_)) => sleep(PAUSE).await,
            }
        }
        Ok(())
    }

    async fn attempt(&self, api: &Api, sent: Sent) -> Result<(), Failure> {
        let body = json!({
            "title": "A notification", "message": "for everyone", "worker": sent.worker, "number": sent.number,
        });
        let request = api.request(Method::POST, "/api/notifications/send/");
        let request = request.header("idempotency-key", format!("{}-{}", self.key, sent.number)).json(&body);
        let reply = send(request).await.map_err(Failure::Passing)?;
        match reply.status {
            200 => Ok(()),
            503 => Err(Failure::Passing(anyhow::anyhow!("{}", reply.body))),
            status => Err(Failure::Final(anyhow::anyhow!("status {status}: {}", reply.body))),
        }
    }
}

/// Why a notification is not known to be accepted.
enum Failure {
    /// It may be, or it may be the next time.
    Passing(anyhow::Error),
    /// It never will be.
    Final(anyhow::Error),
}
