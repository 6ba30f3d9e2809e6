//! Clients that know what they did: every message that they have sent and been sent.

use anyhow::Context;
use carillon_testkit::{DEADLINE, Gateway, Socket, User, send, unique};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// A WebSocket whose messages are counted.
pub(super) struct Client {
    socket: Socket,
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Client {
    /// At this path of a gateway, after its first message.
    pub(super) async fn open(gateway: &Gateway, path: &str, user: &User) -> anyhow::Result<Self> {
        let socket = gateway.socket(path)?.token(&user.token).open().await?;
        let mut client = Self { socket, sent: 0, received: 0 };
        client.next().await?;
        Ok(client)
    }

    /// One that speaks `carillon.v1` and listens to its user's channel.
    pub(super) async fn subscribed(gateway: &Gateway, user: &User) -> anyhow::Result<Self> {
        let mut client = Self::open(gateway, "/ws/v1/", user).await?;
        let channel = format!("user.{}", user.id);
        client.say(&json!({"id": 1, "type": "subscribe", "channel": channel})).await?;
        client.until("the greeting", |frame| frame["data"]["type"] == "connection.established").await?;
        Ok(client)
    }

    pub(super) async fn say(&mut self, frame: &Value) -> anyhow::Result<()> {
        self.sent += 1;
        self.socket.send_json(frame).await
    }

    /// Says something, and reads until it is answered.
    pub(super) async fn ping(&mut self) -> anyhow::Result<()> {
        let timestamp = unique("ping");
        self.say(&json!({"type": "ping", "timestamp": timestamp})).await?;
        self.until("a pong", |frame| frame["timestamp"] == timestamp).await
    }

    /// Reads until a notification of this title.
    pub(super) async fn notified(&mut self, title: &str) -> anyhow::Result<()> {
        self.until(title, |frame| frame["title"] == title || frame["data"]["title"] == title).await
    }

    async fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
        while !wanted(&self.next().await.with_context(|| what.to_owned())?) {}
        Ok(())
    }

    async fn next(&mut self) -> anyhow::Result<Value> {
        let frame = self.socket.next_json().await?;
        self.received += 1;
        Ok(frame)
    }

    pub(super) async fn close(self) -> anyhow::Result<()> {
        self.socket.close().await
    }

    /// The code and reason with which the server closes.
    pub(super) async fn closed(mut self) -> anyhow::Result<(u16, String)> {
        self.socket.expect_close().await
    }
}

/// A stream of server-sent events whose messages are counted.
pub(super) struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    /// Of a user's own channel, after its first message.
    pub(super) async fn open(gateway: &Gateway, user: &User) -> anyhow::Result<Self> {
        let path = format!("/api/events/user.{}/?token={}", user.id, user.token);
        let request = gateway.api().request(Method::GET, &path);
        let response = request.send().await?.error_for_status()?;
        let mut stream = Self { response, text: String::new() };
        stream.until("data: ").await?;
        Ok(stream)
    }

    /// Reads until there was this text, and the end of its message.
    pub(super) async fn until(&mut self, text: &str) -> anyhow::Result<()> {
        let is_there = |read: &str| read.find(text).is_some_and(|place| read[place..].contains("\n\n"));
        while !is_there(&self.text) {
            let chunk = tokio::time::timeout(DEADLINE, self.response.chunk()).await;
            let chunk = chunk.with_context(|| format!("no {text} in {}", self.text))??;
            self.text.push_str(std::str::from_utf8(&chunk.context("the stream has ended")?)?);
        }
        Ok(())
    }

    /// Messages so far.
    pub(super) fn received(&self) -> u64 {
        self.text.matches("data: ").count() as u64
    }
}

/// A handshake that is refused.
pub(super) async fn knock(gateway: &Gateway) -> anyhow::Result<()> {
    crate::checks::refused(gateway.socket("/ws/notifications/")?.token("nonsense"), 4001).await?;
    let request = gateway.api().request(Method::GET, "/api/events/everyone/?token=nonsense");
    send(request).await?.expect(401).map(drop)
}
