//! A client as every client should be: it does what a goodbye says, comes back by itself with `since` where there was
//! none, a little later each time, and trusts offsets alone.

use anyhow::{Context, ensure};
use carillon_testkit::{Gateway, JWT_SECRET, Socket, hs256, simple_jwt_claims};
use rand::RngExt as _;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Duration, Instant, sleep},
};

use super::back_end::Audience;

/// How long a client waits after a connection that broke, at most: at first, and ever.
const FIRST_BACKOFF: Duration = Duration::from_millis(1_000);
const LAST_BACKOFF: Duration = Duration::from_secs(8);

/// How long it tries to come back, and how long nothing may come.
const PATIENCE: Duration = Duration::from_secs(120);

/// How many events of each stream there will have been, once that is known.
pub(super) type Goal = Option<Vec<(Audience, usize)>>;

/// How a connection ended, and how its client came back.
#[derive(Debug)]
pub(super) struct Departure {
    /// Whether it was told to come back (`reconnect`), and the connection closed with 1012.
    pub(super) was_told: bool,
    pub(super) why: String,
    /// When it tried to.
    pub(super) attempts: Vec<Instant>,
    /// From the end of one connection until events came by another.
    pub(super) silence: Duration,
}

/// What one client has seen.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) client: usize,
    pub(super) audience: Audience,
    /// The numbers of the events of its audience, in the order in which they arrived.
    pub(super) received: Vec<usize>,
    pub(super) departures: Vec<Departure>,
    /// How many users it was told have left its room.
    pub(super) leavings: usize,
}

/// One client, between and during its connections.
pub(super) struct Client {
    gateway: Gateway,
    path: String,
    token: String,
    goal: watch::Receiver<Goal>,
    /// The channel of its audience, and the last offset seen there.
    channel: String,
    offset: u64,
    since: Option<String>,
    story: Story,
}

impl Client {
    pub(super) fn new(
        client: usize,
        audience: Audience,
        gateway: Gateway,
        goal: watch::Receiver<Goal>,
    ) -> Self {
        let (path, channel) = match audience {
            Audience::Everyone => ("/ws/notifications/".to_owned(), "everyone".to_owned()),
            Audience::Room(room) => (format!("/ws/chat/rolling{room}/"), format!("room.rolling{room}")),
        };
        let token = hs256(JWT_SECRET, &simple_jwt_claims(&json!(20_000 + client)));
        let (received, departures) = (Vec::new(), Vec::new());
        let story = Story { client, audience, received, departures, leavings: 0 };
        Self { gateway, path, token, goal, channel, offset: 0, since: None, story }
    }

    /// The first connection: on a machine that is busy it may take several attempts.
    pub(super) async fn arrive(&mut self) -> anyhow::Result<Socket> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.connect().await {
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => sleep(jittered(FIRST_BACKOFF)).await,
                Ok(socket) => return Ok(socket),
            }
        }
    }

    /// One attempt, up to the greeting and, for one that comes back, the promise of what it missed.
    async fn connect(&mut self) -> anyhow::Result<Socket> {
        let handshake = self.gateway.socket(&self.path)?.token(&self.token);
        let since = self.since.clone();
        let mut socket = handshake.since(Some(since.clone().unwrap_or_default())).open().await?;
        let greeting = socket.next_json().await?;
        ensure!(greeting["epoch"].is_string(), "no greeting: {greeting}");
        if since.is_some() {
            let recovery = socket.next_json().await?;
            ensure!(recovery["type"] == "recovery", "{recovery}");
            ensure!(recovery["recovered"] == true, "{recovery}");
        } else {
            self.offset = socket.position().offset(&self.channel).context("no place")?;
            self.since = socket.since();
        }
        Ok(socket)
    }

    /// Listens until it has everything there is, and nothing more.
    pub(super) async fn listen(mut self, mut socket: Socket) -> anyhow::Result<Story> {
        let mut told = None;
        while !self.has_everything() {
            let heard = tokio::select! {
                frame = socket.next_json_within(PATIENCE) => frame,
                changed = self.goal.changed() => {
                    changed?;
                    continue;
                }
            };
            match heard {
                Ok(frame) if frame["type"] == "reconnect" => told = frame["after_ms"].as_u64(),
                Ok(frame) => self.take(&frame).with_context(|| format!("client {}", self.story.client))?,
                Err(error) => socket = self.come_back(told.take(), error.to_string()).await?,
            }
        }
        socket.expect_none("another event", |frame| self.number(frame).is_some()).await?;
        socket.close().await?;
        Ok(self.story)
    }

    fn has_everything(&self) -> bool {
        let Story { audience, received, .. } = &self.story;
        let goal = self.goal.borrow();
        let goal = goal.iter().flatten().find(|(of, _)| of == audience);
        goal.is_some_and(|(_, count)| received.len() >= *count)
    }

    /// Every durable event is the next one of its channel, whatever it tells; but for a client's own coming to a room, which
    /// only the others hear of.
    fn take(&mut self, frame: &Value) -> anyhow::Result<()> {
        if frame["channel"] != self.channel.as_str() || !frame["offset"].is_u64() {
            return Ok(());
        }
        let offset = frame["offset"].as_u64().context("no offset")?;
        let may_follow = match self.story.audience {
            Audience::Everyone => offset == self.offset + 1,
            Audience::Room(_) => offset > self.offset,
        };
        ensure!(may_follow, "after offset {} came {frame}", self.offset);
        self.offset = offset;
        // In the end everyone leaves.
        let is_over = self.goal.borrow().is_some();
        self.story.leavings += usize::from(frame["event"] == "user_left" && !is_over);
        self.story.received.extend(self.number(frame));
        Ok(())
    }

    /// The number of an event, if it is one of the back end's.
    fn number(&self, frame: &Value) -> Option<usize> {
        let text = match self.story.audience {
            Audience::Everyone => &frame["title"],
            Audience::Room(_) if frame["type"] == "chat_message" => &frame["message"],
            Audience::Room(_) => &Value::Null,
        };
        text.as_str()?.parse().ok()
    }

    async fn come_back(&mut self, told: Option<u64>, why: String) -> anyhow::Result<Socket> {
        let ended = Instant::now();
        let was_told = told.is_some() && why.contains("code: Restart");
        let mut departure = Departure { was_told, why, attempts: Vec::new(), silence: Duration::ZERO };
        self.since = self.since.take().map(|since| self.place(&since));
        let mut pause = told.map_or_else(|| jittered(FIRST_BACKOFF), Duration::from_millis);
        let mut backoff = FIRST_BACKOFF;
        loop {
            sleep(pause).await;
            departure.attempts.push(Instant::now());
            match self.connect().await {
                Ok(socket) => {
                    departure.silence = ended.elapsed();
                    self.story.departures.push(departure);
                    return Ok(socket);
                }
                Err(error) => {
                    ensure!(ended.elapsed() < PATIENCE, "coming back after {}: {error:?}", departure.why);
                    backoff = (2 * backoff).min(LAST_BACKOFF);
                    pause = jittered(backoff);
                }
            }
        }
    }

    /// Where it is now: its channel comes first in every place.
    fn place(&self, since: &str) -> String {
        let mut parts: Vec<String> = since.split('.').map(str::to_owned).collect();
        if let Some(first) = parts.get_mut(1) {
            *first = self.offset.to_string();
        }
        parts.join(".")
    }
}

/// From half of it to all of it.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::rng().random_range(0.5..=1.0))
}
