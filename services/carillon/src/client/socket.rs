//! An open WebSocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Bytes, Message, Utf8Bytes, protocol::CloseFrame},
};

use super::Stream;

/// How long the server may take to answer a close.
const GOODBYE: Duration = Duration::from_secs(2);

/// This end of a WebSocket.
#[derive(Debug)]
pub(crate) struct Socket(WebSocketStream<Stream>);

/// What has come.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A text frame.
    Text(Utf8Bytes),
    /// A binary frame.
    Binary(Bytes),
    /// The answer to a ping.
    Pong(Bytes),
    /// The end.
    Closed(Closed),
}

/// How a connection ended: 1005 without a code, 1006 without a close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Closed {
    /// The close code.
    pub(crate) code: u16,
    /// What was said.
    pub(crate) reason: String,
}

/// Why nothing can be said any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// The server closed.
    #[error("closed with {}", said(_0))]
    Closed(Closed),
}

impl Socket {
    pub(crate) fn new(stream: WebSocketStream<Stream>) -> Self {
        Self(stream)
    }

    /// The next frame, whenever it comes. The protocol's pings are answered by themselves.
    pub(crate) async fn next(&mut self) -> Incoming {
        loop {
            return match self.0.next().await {
                Some(Ok(Message::Text(text))) => Incoming::Text(text),
                Some(Ok(Message::Binary(bytes))) => Incoming::Binary(bytes),
                Some(Ok(Message::Pong(payload))) => Incoming::Pong(payload),
                Some(Ok(Message::Ping(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Close(frame))) => Incoming::Closed(Closed::of(frame)),
                Some(Err(error)) => Incoming::Closed(Closed::broken(&error)),
                None => Incoming::Closed(Closed { code: 1006, reason: String::new() }),
            };
        }
    }

    /// Sends a text frame.
    ///
    /// # Errors
    /// A connection that is gone.
    pub(crate) async fn send(&mut self, text: String) -> Result<(), SocketError> {
        self.say(Message::text(text)).await
    }

    /// Sends a binary frame.
    ///
    /// # Errors
    /// A connection that is gone.
    pub(crate) async fn send_binary(&mut self, bytes: &'static [u8]) -> Result<(), SocketError> {
        self.say(Message::Binary(Bytes::from_static(bytes))).await
    }

    /// Sends one of the protocol's pings.
    ///
    /// # Errors
    /// A connection that is gone.
    pub(crate) async fn ping(&mut self, payload: &[u8]) -> Result<(), SocketError> {
        self.say(Message::Ping(Bytes::copy_from_slice(payload))).await
    }

    /// Closes with 1000, and waits a moment for the server's agreement.
    pub(crate) async fn close(mut self) {
        let frame = CloseFrame { code: 1000_u16.into(), reason: Utf8Bytes::default() };
        let closing = async {
            self.0.close(Some(frame)).await?;
            while self.0.next().await.transpose()?.is_some() {}
            Ok::<_, tungstenite::Error>(())
        };
        // However it ends, it has ended.
        let _ = timeout(GOODBYE, closing).await;
    }

    async fn say(&mut self, message: Message) -> Result<(), SocketError> {
        self.0.send(message).await.map_err(|error| SocketError::Closed(Closed::broken(&error)))
    }
}

impl Closed {
    fn of(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self { code: frame.code.into(), reason: frame.reason.to_string() },
            None => Self { code: 1005, reason: String::new() },
        }
    }

    fn broken(error: &tungstenite::Error) -> Self {
        Self { code: 1006, reason: error.to_string() }
    }

    /// Whether a client of this protocol comes back after it, with the same token.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.code, 1001 | 1005 | 1006 | 1011 | 1012 | 1013 | 4100..=4199 | 4429)
    }
}

/// The code, and what was said.
pub(crate) fn said(closed: &Closed) -> String {
    match closed.reason.as_str() {
        "" => closed.code.to_string(),
        reason => format!("{} ({reason})", closed.code),
    }
}

impl std::fmt::Display for Closed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&said(self))
    }
}
