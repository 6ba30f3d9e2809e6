//! A client that listens to a project's tickets, and comes back when its connection breaks.

use anyhow::{Context, bail, ensure};
use carillon_testkit::{Gateway, Project, Socket};
use serde_json::Value;
use tokio::{
    sync::watch,
    time::{Duration, Instant, sleep},
};

use super::{Board, Change, PATIENCE};

/// How long after a refused attempt it tries again.
const PAUSE: Duration = Duration::from_millis(50);

/// A client, during one connection.
pub(super) struct Watcher {
    gateways: [Gateway; 2],
    path: String,
    token: String,
    /// How many events there have been in the end, once that is known.
    goal: watch::Receiver<Option<u64>>,
    socket: Socket,
    epoch: String,
    story: Story,
}

/// What a client has seen.
pub(super) struct Story {
    pub(super) number: usize,
    /// The gateway that it connected to first.
    pub(super) home: String,
    /// How its connections broke.
    pub(super) breaks: Vec<String>,
    /// In the order in which it arrived.
    pub(super) heard: Vec<Change>,
    /// What comes of that.
    pub(super) board: Board,
}

impl Watcher {
    /// Connects before anything has happened; as many to each gateway.
    pub(super) async fn enter(
        number: usize,
        gateways: &[Gateway; 2],
        project: &Project,
        token: &str,
        goal: watch::Receiver<Option<u64>>,
    ) -> anyhow::Result<Self> {
        let mut gateways = gateways.clone();
        gateways.rotate_left(number % 2);
        let path = format!("/ws/projects/{}/tickets/", project.id);
        let mut socket = gateways[0].socket(&path)?.token(token).open().await?;
        let greeting = socket.next_json().await?;
        ensure!(greeting["channels"][0]["offset"] == 0, "{greeting}");
        let epoch = greeting["epoch"].as_str().context("no epoch")?.to_owned();
        let story = Story {
            number,
            home: gateways[0].name.clone(),
            breaks: Vec::new(),
            heard: Vec::new(),
            board: Board::default(),
        };
        Ok(Self { gateways, path, token: token.to_owned(), goal, socket, epoch, story })
    }

    /// Listens until it has everything there is, and nothing more.
    pub(super) async fn watch(mut self) -> anyhow::Result<Story> {
        while !self.has_everything() {
            let heard = tokio::select! {
                frame = self.socket.next_json_within(PATIENCE) => frame,
                changed = self.goal.changed() => {
                    changed?;
                    continue;
                }
            };
            match heard {
                Ok(frame) => self.take(&frame).with_context(|| format!("watcher {}", self.story.number))?,
                Err(error) => {
                    self.story.breaks.push(error.to_string());
                    self.socket = self.come_back().await?;
                }
            }
        }
        let Self { mut socket, story, .. } = self;
        socket.expect_none("one event more", |frame| frame["offset"].is_u64()).await?;
        socket.close().await?;
        Ok(story)
    }

    fn has_everything(&self) -> bool {
        self.goal.borrow().is_some_and(|goal| self.story.heard.len() as u64 >= goal)
    }

    /// The next event: none is left out, and none comes twice.
    fn take(&mut self, frame: &Value) -> anyhow::Result<()> {
        let expected = self.story.heard.len() + 1;
        ensure!(frame["offset"] == expected, "expected offset {expected}, got {frame}");
        let change = self.story.board.apply(frame)?;
        self.story.heard.push(change);
        Ok(())
    }

    /// Connects again, some at once to the other gateway and some to their own until that is back.
    async fn come_back(&self) -> anyhow::Result<Socket> {
        let gateway = &self.gateways[self.story.number / 2 % 2];
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.attempt(gateway).await {
                Ok(socket) => return Ok(socket),
                Err(error) if Instant::now() > deadline => bail!(error.context("coming back")),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Up to the promise of what it missed.
    async fn attempt(&self, gateway: &Gateway) -> anyhow::Result<Socket> {
        let since = format!("{}.{}", self.epoch, self.story.heard.len());
        let mut socket = gateway.socket(&self.path)?.token(&self.token).since(Some(since)).open().await?;
        socket.next_of_type("connection_established").await?;
        let recovery = socket.next_json().await?;
        ensure!(recovery["recovered"] == true, "{recovery}");
        Ok(socket)
    }
}
