//! An open WebSocket.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt,
    time::{Instant, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Bytes, Message, protocol::CloseFrame},
};

use super::{Position, Stream};
use crate::DEADLINE;

/// How many of the latest frames an error shows.
const SHOWN: usize = 5;

/// A client's end of a WebSocket. Every wait has a deadline.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<Stream>,
    path: String,
    protocol: Option<String>,
    position: Position,
    latest: VecDeque<String>,
}

impl Socket {
    pub(crate) fn new(stream: WebSocketStream<Stream>, path: &str, protocol: Option<String>) -> Self {
        Self {
            stream,
            path: path.to_owned(),
            protocol,
            position: Position::default(),
            latest: VecDeque::new(),
        }
    }

    /// The subprotocol that the gateway chose.
    pub fn protocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// Where the client is in its channels.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// The value of `?since=` with which to reconnect. `None` before the greeting.
    pub fn since(&self) -> Option<String> {
        self.position.since()
    }

    /// The next text frame, as JSON.
    ///
    /// # Errors
    /// If none comes in time, the connection closes instead, or it isn't JSON.
    pub async fn next_json(&mut self) -> anyhow::Result<Value> {
        self.next_json_by(Instant::now() + DEADLINE).await
    }

    /// The next frame of that `type`; others before it are passed over.
    ///
    /// # Errors
    /// As with [`Self::next_json`].
    pub async fn next_of_type(&mut self, kind: &str) -> anyhow::Result<Value> {
        self.next_where(kind, |frame| frame["type"] == kind).await
    }

    /// The next frame that is `wanted`; others before it are passed over. `what` describes it in an error.
    ///
    /// # Errors
    /// As with [`Self::next_json`].
    pub async fn next_where(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let frame = self.next_json_by(deadline).await.with_context(|| format!("waiting for {what}"))?;
            if wanted(&frame) {
                return Ok(frame);
            }
        }
    }

    /// The next binary frame.
    ///
    /// # Errors
    /// If none comes in time, the connection closes instead, or a text frame comes.
    pub async fn next_binary(&mut self) -> anyhow::Result<Bytes> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.next_message(deadline).await? {
                Message::Binary(bytes) => return Ok(bytes),
                Message::Close(frame) => bail!("{} was closed: {frame:?}", self.path),
                Message::Text(text) => bail!("{}: a text frame: {text}", self.path),
                _ => {}
            }
        }
    }

    /// Asserts that nothing `unwanted` was on its way: a ping sent now is answered first.
    ///
    /// # Errors
    /// If an unwanted frame comes.
    pub async fn expect_none(
        &mut self,
        what: &str,
        mut unwanted: impl FnMut(&Value) -> bool,
    ) -> anyhow::Result<()> {
        let timestamp = crate::unique("silence");
        self.send_json(&json!({"type": "ping", "timestamp": timestamp})).await?;
        let answer = |frame: &Value| frame["type"] == "pong" && frame["timestamp"] == timestamp;
        let frame = self.next_where("a pong", |frame| answer(frame) || unwanted(frame)).await?;
        ensure!(answer(&frame), "{}: {what} came: {frame}", self.path);
        Ok(())
    }

    /// Waits until the server closes: its code (1005 if it gives none) and reason. Frames before that are passed over.
    ///
    /// # Errors
    /// If it doesn't in time, or the connection ends without a close frame.
    pub async fn expect_close(&mut self) -> anyhow::Result<(u16, String)> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.next_message(deadline).await? {
                Message::Close(Some(frame)) => return Ok((frame.code.into(), frame.reason.to_string())),
                Message::Close(None) => return Ok((1005, String::new())),
                Message::Text(text) => drop(self.read(text.as_str())?),
                _ => {}
            }
        }
    }

    /// Sends a JSON text frame.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn send_json(&mut self, frame: &Value) -> anyhow::Result<()> {
        self.send_text(&frame.to_string()).await
    }

    /// Sends a text frame.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn send_text(&mut self, text: &str) -> anyhow::Result<()> {
        self.send(Message::text(text)).await
    }

    /// Sends a binary frame.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn send_binary(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.send(Message::binary(Bytes::copy_from_slice(bytes))).await
    }

    /// Sends a protocol-level ping, and waits for its pong.
    ///
    /// # Errors
    /// If it doesn't come in time.
    pub async fn expect_pong(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        self.send(Message::Ping(Bytes::copy_from_slice(payload))).await?;
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Message::Pong(echo) = self.next_message(deadline).await? {
                ensure!(echo == payload, "another payload came back: {echo:?}");
                return Ok(());
            }
        }
    }

    /// Writes bytes under the protocol, such as a malformed frame.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).await.with_context(|| self.path.clone())?;
        stream.flush().await.with_context(|| self.path.clone())
    }

    /// Sends a close frame. The server's answer is what [`Self::expect_close`] then waits for.
    ///
    /// # Errors
    /// If the connection is gone.
    pub async fn ask_to_close(&mut self, code: u16, reason: &str) -> anyhow::Result<()> {
        self.send(Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))).await
    }

    /// Closes with 1000, and waits until the server agrees.
    ///
    /// # Errors
    /// If it doesn't in time.
    pub async fn close(mut self) -> anyhow::Result<()> {
        self.ask_to_close(1000, "").await?;
        self.expect_close().await.map(drop)
    }

    /// As [`Self::next_json`], by another deadline.
    ///
    /// # Errors
    /// As with [`Self::next_json`].
    pub async fn next_json_within(&mut self, duration: Duration) -> anyhow::Result<Value> {
        self.next_json_by(Instant::now() + duration).await
    }

    async fn next_json_by(&mut self, deadline: Instant) -> anyhow::Result<Value> {
        loop {
            match self.next_message(deadline).await? {
                Message::Text(text) => return self.read(text.as_str()),
                Message::Close(frame) => bail!("{} was closed: {frame:?}; {}", self.path, self.shown()),
                Message::Binary(bytes) => bail!("{}: a binary frame: {bytes:?}", self.path),
                _ => {}
            }
        }
    }

    async fn next_message(&mut self, deadline: Instant) -> anyhow::Result<Message> {
        match timeout_at(deadline, self.stream.next()).await {
            Ok(Some(Ok(message))) => Ok(message),
            Ok(Some(Err(error))) => bail!("{} broke: {error}; {}", self.path, self.shown()),
            Ok(None) => bail!("{} ended; {}", self.path, self.shown()),
            Err(_) => bail!("{}: nothing more in time; {}", self.path, self.shown()),
        }
    }

    async fn send(&mut self, message: Message) -> anyhow::Result<()> {
        self.stream.send(message).await.with_context(|| format!("sending to {}", self.path))
    }

    fn read(&mut self, text: &str) -> anyhow::Result<Value> {
        self.latest.truncate(SHOWN - 1);
        self.latest.push_front(text.to_owned());
        let frame = serde_json::from_str(text).with_context(|| format!("{}: not JSON: {text}", self.path))?;
        self.position.learn(&frame);
        Ok(frame)
    }

    fn shown(&self) -> String {
        format!("latest frames, newest first: {:?}", self.latest)
    }
}
