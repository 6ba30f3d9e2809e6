//! A client of `carillon.v1` that holds each frame, of either side, to the specification.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::LazyLock,
};

use anyhow::{Context, ensure};
use carillon_testkit::{Handshake, Socket};
use serde_json::{Value, json};

use super::specification::{Side, Specification};

static SPECIFICATION: LazyLock<Specification> =
    LazyLock::new(|| Specification::load().expect("a specification"));

/// An open connection.
pub(super) struct Client {
    socket: Socket,
    next_id: u32,
    /// Where it is in each channel that it has heard of: `<epoch>.<offset>`.
    places: HashMap<String, (String, u64)>,
    /// Frames that nobody has asked for yet.
    passed: VecDeque<Value>,
    /// The messages of the specification that occurred.
    pub(super) heard: BTreeSet<(&'static str, Side)>,
}

pub(super) fn specification() -> &'static Specification {
    &SPECIFICATION
}

impl Client {
    /// Connects, and is greeted.
    pub(super) async fn connect(handshake: Handshake) -> anyhow::Result<Self> {
        let socket = handshake.open().await?;
        let (places, passed, heard) = (HashMap::new(), VecDeque::new(), BTreeSet::new());
        let mut client = Self { socket, next_id: 1, places, passed, heard };
        let greeting = client.next().await?;
        ensure!(greeting["type"] == "connected", "{greeting}");
        Ok(client)
    }

    /// The next frame.
    pub(super) async fn next(&mut self) -> anyhow::Result<Value> {
        let frame = self.socket.next_json().await?;
        self.note(Side::Server, &frame)?;
        let channel = frame["channel"].as_str().map(str::to_owned);
        if let (Some(channel), Some(offset)) = (channel, frame["offset"].as_u64()) {
            if let Some(epoch) = frame["epoch"].as_str() {
                // Who has said since when is still there.
                self.places.entry(channel).or_insert((epoch.to_owned(), offset));
            } else if let Some(place) = self.places.get_mut(&channel) {
                // What it causes itself it need not be told.
                ensure!(offset > place.1, "{channel}: {offset} follows {}", place.1);
                place.1 = offset;
            }
        }
        Ok(frame)
    }

    /// The next frame that `wanted` picks. Those before it are kept: an event may come before the answer to the
    /// request that has caused it, or after.
    pub(super) async fn next_where(
        &mut self,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        if let Some(found) = self.passed.iter().position(&wanted) {
            return self.passed.remove(found).context("it was there");
        }
        loop {
            let frame = self.next().await.with_context(|| format!("waiting for {what}"))?;
            if wanted(&frame) {
                return Ok(frame);
            }
            self.passed.push_back(frame);
        }
    }

    /// The data of the next frame of a channel that has this type.
    pub(super) async fn told(&mut self, channel: &str, kind: &str) -> anyhow::Result<Value> {
        let is_it = |frame: &Value| frame["channel"] == channel && frame["data"]["type"] == kind;
        Ok(self.next_where(&format!("{kind} of {channel}"), is_it).await?["data"].clone())
    }

    /// Sends a request, and waits for the answer.
    pub(super) async fn ask(&mut self, request: Value) -> anyhow::Result<Value> {
        let id = self.send(request).await?;
        self.next_where("an answer", |frame| frame["id"] == id).await
    }

    /// Sends a request under an id of its own, which is returned.
    pub(super) async fn send(&mut self, mut request: Value) -> anyhow::Result<Value> {
        let id = json!(self.next_id);
        self.next_id += 1;
        request["id"] = id.clone();
        self.note(Side::Client, &request)?;
        if let (Some(channel), Some(since)) = (request["channel"].as_str(), request["since"].as_str()) {
            let (epoch, offset) = since.split_once('.').context("a place")?;
            self.places.insert(channel.to_owned(), (epoch.to_owned(), offset.parse()?));
        }
        self.socket.send_json(&request).await?;
        Ok(id)
    }

    /// Subscribes to a channel from now on.
    pub(super) async fn subscribe(&mut self, channel: &str) -> anyhow::Result<Value> {
        let reply = self.ask(json!({"type": "subscribe", "channel": channel})).await?;
        ensure!(reply["type"] == "subscribed", "{reply}");
        Ok(reply)
    }

    /// Subscribes to a channel since where another client was, and says how many events were missed.
    pub(super) async fn resume(&mut self, channel: &str, other: &Self) -> anyhow::Result<u64> {
        let (epoch, offset) = other.places.get(channel).context("a place")?;
        let since = format!("{epoch}.{offset}");
        let reply = self.ask(json!({"type": "subscribe", "channel": channel, "since": since})).await?;
        ensure!(reply["type"] == "subscribed", "{reply}");
        let is_it = |frame: &Value| frame["type"] == "recovery" && frame["channel"] == channel;
        let recovery = self.next_where("recovery", is_it).await?;
        ensure!(recovery["recovered"] == true, "{recovery}");
        recovery["missed"].as_u64().context("how many")
    }

    /// Publishes a frame, and returns what the owner says to that.
    pub(super) async fn publish(&mut self, channel: &str, data: &Value) -> anyhow::Result<Value> {
        let reply = self.ask(json!({"type": "publish", "channel": channel, "data": data})).await?;
        ensure!(reply["type"] == "published", "{reply}");
        Ok(reply["data"].clone())
    }

    /// The socket itself, for what no client should do, and for the end.
    pub(super) fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.socket.close().await
    }

    fn note(&mut self, side: Side, frame: &Value) -> anyhow::Result<()> {
        self.heard.insert((SPECIFICATION.message(side, frame)?, side));
        Ok(())
    }
}
