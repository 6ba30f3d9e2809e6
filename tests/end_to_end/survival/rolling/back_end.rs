//! A back end that sends durable events at a steady rate, each under a key, and again until it is told that it was
//! accepted.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use carillon_testkit::{Api, Gateway, send, unique};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Duration, Instant, MissedTickBehavior, interval, sleep, timeout},
};

use super::ROOMS;

/// How often each room is told something, and how often everyone.
const ROOM_PACE: Duration = Duration::from_millis(1_000);
const EVERYONE_PACE: Duration = Duration::from_millis(250);

/// How long an event may take to be accepted, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long after a refusal it tries again.
const PAUSE: Duration = Duration::from_millis(200);

/// To whom a stream of events goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Audience {
    Everyone,
    Room(usize),
}

impl Audience {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Everyone).chain((0..ROOMS).map(Self::Room))
    }

    fn pace(self) -> Duration {
        if self == Self::Everyone { EVERYONE_PACE } else { ROOM_PACE }
    }

    fn path(self) -> String {
        match self {
            Self::Everyone => "/api/notifications/send/".to_owned(),
            Self::Room(room) => format!("/api/chat/rooms/rolling{room}/messages/"),
        }
    }

    fn body(self, number: usize) -> Value {
        match self {
            Self::Everyone => json!({"title": number.to_string(), "message": "for everyone"}),
            Self::Room(_) => json!({"message": number.to_string()}),
        }
    }
}

/// What a back end has sent in all.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// How many events of each stream were accepted: the first, the second, and so on.
    pub(super) accepted: Vec<(Audience, usize)>,
    /// How many attempts were not: it got 502, 503 or 504, or no answer.
    pub(super) refusals: usize,
    /// The longest that an event took to be accepted.
    pub(super) slowest: Duration,
}

/// A back end at work.
pub(super) struct BackEnd {
    streams: JoinSet<anyhow::Result<Stream>>,
    accepted: watch::Receiver<usize>,
    is_over: watch::Sender<bool>,
}

impl BackEnd {
    pub(super) fn start(gateway: &Gateway, token: &str) -> Self {
        let (count, accepted) = watch::channel(0);
        let (is_over, count) = (watch::Sender::new(false), Arc::new(count));
        let mut streams = JoinSet::new();
        for audience in Audience::all() {
            let api = gateway.api().with_token(token);
            let (key, slowest) = (unique("event"), Duration::ZERO);
            let stream = Stream { audience, api, key, accepted: 0, refusals: 0, slowest };
            streams.spawn(stream.flow(count.clone(), is_over.subscribe()));
        }
        Self { streams, accepted, is_over }
    }

    /// Waits until so many more are accepted.
    pub(super) async fn progress(&mut self, more: usize) -> anyhow::Result<()> {
        let enough = *self.accepted.borrow() + more;
        tokio::select! {
            accepted = timeout(PATIENCE, self.accepted.wait_for(|count| *count >= enough)) => {
                accepted.with_context(|| format!("{more} more events were not accepted"))??;
                Ok(())
            }
            Some(ended) = self.streams.join_next() => bail!("a stream ended: {:?}", ended.map(|stream| stream.map(drop))),
        }
    }

    /// Stops, and tells what was accepted.
    pub(super) async fn finish(mut self) -> anyhow::Result<Sent> {
        self.is_over.send_replace(true);
        let mut sent = Sent::default();
        while let Some(ended) = self.streams.join_next().await {
            let stream = ended??;
            sent.accepted.push((stream.audience, stream.accepted));
            sent.refusals += stream.refusals;
            sent.slowest = sent.slowest.max(stream.slowest);
        }
        Ok(sent)
    }
}

/// Events for one audience, one after the other.
struct Stream {
    audience: Audience,
    api: Api,
    key: String,
    accepted: usize,
    refusals: usize,
    slowest: Duration,
}

impl Stream {
    async fn flow(
        mut self,
        count: Arc<watch::Sender<usize>>,
        is_over: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let mut ticks = interval(self.audience.pace());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*is_over.borrow() {
            ticks.tick().await;
            let begun = Instant::now();
            self.deliver().await.with_context(|| format!("{:?} {}", self.audience, self.accepted))?;
            self.slowest = self.slowest.max(begun.elapsed());
            self.accepted += 1;
            count.send_modify(|count| *count += 1);
        }
        Ok(self)
    }

    /// Tries until the event is accepted.
    async fn deliver(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.attempt().await? {
            ensure!(Instant::now() < deadline, "it was never accepted");
            self.refusals += 1;
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Whether it was accepted; if not, it may be the next time.
    async fn attempt(&self) -> anyhow::Result<bool> {
        let request = self.api.request(Method::POST, &self.audience.path());
        let request = request.header("idempotency-key", format!("{}-{}", self.key, self.accepted));
        let Ok(reply) = send(request.json(&self.audience.body(self.accepted))).await else {
            return Ok(false);
        };
        match reply.status {
            200 | 201 => Ok(true),
            502..=504 => Ok(false),
            status => bail!("status {status}: {}", reply.body),
        }
    }
}
