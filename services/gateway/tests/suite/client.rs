//! A WebSocket client that waits for what it expects, with a deadline.

use std::{future::Future, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

/// How long anything that is expected may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Client(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

/// Waits no longer than is reasonable.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("in time")
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Self {
        let (socket, _) = within(connect_async(format!("ws://{address}{path}"))).await.expect("a handshake");
        Self(socket)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        within(self.0.send(Message::text(text))).await.expect("sent");
    }

    pub(crate) async fn next(&mut self) -> Message {
        within(self.0.next()).await.expect("a message before the end").expect("a message")
    }

    /// The next text frame.
    pub(crate) async fn json(&mut self) -> Value {
        loop {
            match self.next().await {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("no text: {other:?}"),
            }
        }
    }

    /// The offset of the next event.
    pub(crate) async fn offset(&mut self) -> u64 {
        let event = self.json().await;
        event["offset"].as_u64().unwrap_or_else(|| panic!("no event: {event}"))
    }

    pub(crate) async fn offsets(&mut self, count: usize) -> Vec<u64> {
        let mut offsets = Vec::new();
        for _ in 0..count {
            offsets.push(self.offset().await);
        }
        offsets
    }

    /// The code and reason with which the gateway closes, after whatever else it says.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.next().await {
                let CloseFrame { code, reason } = frame.expect("a code");
                return (code.into(), reason.to_string());
            }
        }
    }
}
