//! Many clients that listen to what is sent to everyone, and come back when their connection breaks.

use anyhow::{Context, bail, ensure};
use carillon_testkit::{Gateway, JWT_SECRET, Socket, hs256, simple_jwt_claims};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Duration, Instant, sleep, timeout},
};

use super::publisher::Sent;

/// How long after a refused attempt a client tries again.
const PAUSE: Duration = Duration::from_millis(50);

/// How long the last client may take to have everything, and any of them to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// The channel that everything is sent to.
const EVERYONE: &str = "everyone";

/// The clients, each in a task.
pub(super) struct Crowd {
    clients: JoinSet<anyhow::Result<Story>>,
    /// How many notifications there will have been, once that is known.
    goal: watch::Sender<Option<usize>>,
}

/// What one client has seen.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) client: usize,
    /// The number of the gateway that it connected to first.
    pub(super) home: usize,
    /// How its connections broke.
    pub(super) breaks: Vec<String>,
    /// In the order in which it arrived.
    pub(super) received: Vec<Sent>,
}

impl Crowd {
    /// Connects so many clients, each with a token of its own, as many to each gateway.
    pub(super) async fn gather(gateways: &[Gateway; 2], clients: usize) -> anyhow::Result<Self> {
        let goal = watch::Sender::new(None);
        let mut arriving = JoinSet::new();
        for number in 0..clients {
            let mut client = Client::new(number, gateways.clone(), goal.subscribe());
            arriving.spawn(async move {
                let socket = client.connect().await?;
                anyhow::Ok((client, socket))
            });
        }
        let mut listening = JoinSet::new();
        while let Some(arrived) = arriving.join_next().await {
            let (client, socket) = arrived??;
            listening.spawn(client.listen(socket));
        }
        Ok(Self { clients: listening, goal })
    }

    /// Waits until everyone has so many notifications, and lets them go.
    pub(super) async fn disperse(mut self, notifications: usize) -> anyhow::Result<Vec<Story>> {
        self.goal.send_replace(Some(notifications));
        let everyone = async {
            let mut stories = Vec::new();
            while let Some(story) = self.clients.join_next().await {
                stories.push(story??);
            }
            anyhow::Ok(stories)
        };
        timeout(PATIENCE, everyone).await.context("somebody still lacks something")?
    }
}

/// One client, between and during its connections.
struct Client {
    gateways: [Gateway; 2],
    token: String,
    goal: watch::Receiver<Option<usize>>,
    place: Option<Place>,
    story: Story,
}

/// Where a client is: the greeting's epoch, and the last offsets of what is sent to everyone and to
/// itself.
struct Place {
    epoch: String,
    everyone: u64,
    own: u64,
}

impl Client {
    fn new(number: usize, gateways: [Gateway; 2], goal: watch::Receiver<Option<usize>>) -> Self {
        let token = hs256(JWT_SECRET, &simple_jwt_claims(&json!(1_000 + number)));
        let story = Story { client: number, home: number % 2, breaks: Vec::new(), received: Vec::new() };
        Self { gateways, token, goal, place: None, story }
    }

    /// Listens until it has everything there is, and nothing more.
    async fn listen(mut self, mut socket: Socket) -> anyhow::Result<Story> {
        while !self.has_everything() {
            let heard = tokio::select! {
                frame = socket.next_json_within(PATIENCE) => frame,
                changed = self.goal.changed() => {
                    changed?;
                    continue;
                }
            };
            match heard {
                Ok(frame) => self.take(&frame)?,
                Err(error) => {
                    self.story.breaks.push(error.to_string());
                    socket = self.come_back().await?;
                }
            }
        }
        socket.expect_none("another notification", |frame| frame["offset"].is_u64()).await?;
        socket.close().await?;
        Ok(self.story)
    }

    fn has_everything(&self) -> bool {
        self.goal.borrow().is_some_and(|goal| self.story.received.len() >= goal)
    }

    fn take(&mut self, frame: &Value) -> anyhow::Result<()> {
        let client = self.story.client;
        let place = self.place.as_mut().context("a frame before the greeting")?;
        ensure!(frame["channel"] == EVERYONE, "client {client} got {frame}");
        let expected = place.everyone + 1;
        ensure!(frame["offset"] == expected, "client {client} expected offset {expected}, got {frame}");
        place.everyone = expected;
        self.story.received.push(Sent::read(&frame["notification"])?);
        Ok(())
    }

    /// Connects again, some at once to the other gateway and some to their own until that is back.
    async fn come_back(&mut self) -> anyhow::Result<Socket> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.connect().await {
                Ok(socket) => return Ok(socket),
                Err(error) if Instant::now() > deadline => bail!(error.context("coming back")),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// One attempt, up to the greeting and, for one that comes back, the promise of what it missed.
    async fn connect(&mut self) -> anyhow::Result<Socket> {
        let handshake = self.gateway().socket("/ws/notifications/")?.token(&self.token);
        let mut socket = handshake.since(self.place.as_ref().map(Place::since)).open().await?;
        let greeting = socket.next_json().await?;
        ensure!(greeting["type"] == "connection.established", "{greeting}");
        if self.place.is_some() {
            let recovery = socket.next_json().await?;
            ensure!(recovery["recovered"] == true, "{recovery}");
        } else {
            self.place = Some(Place::read(&greeting)?);
        }
        Ok(socket)
    }

    fn gateway(&self) -> &Gateway {
        let Story { client, home, breaks, .. } = &self.story;
        let moves = !breaks.is_empty() && (client / 2) % 2 == 1;
        &self.gateways[if moves { 1 - home } else { *home }]
    }
}

impl Place {
    fn read(greeting: &Value) -> anyhow::Result<Self> {
        let channels = &greeting["channels"];
        ensure!(channels[0]["name"] == EVERYONE, "{greeting}");
        let offset = |index: usize| channels[index]["offset"].as_u64().context("no offset in the greeting");
        let epoch = greeting["epoch"].as_str().context("no epoch in the greeting")?.to_owned();
        Ok(Self { epoch, everyone: offset(0)?, own: offset(1)? })
    }

    fn since(&self) -> String {
        format!("{}.{}.{}", self.epoch, self.everyone, self.own)
    }
}
