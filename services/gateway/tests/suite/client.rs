//! A WebSocket client that waits for what it expects, with a deadline.

use std::{future::Future, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, client_async, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

/// How long anything that is expected may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Client<T = MaybeTlsStream<TcpStream>>(pub(crate) WebSocketStream<T>);

/// Waits no longer than is reasonable.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("in time")
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, path: &str) -> Self {
        let (socket, _) = within(connect_async(format!("ws://{address}{path}"))).await.expect("a handshake");
        Self(socket)
    }

    /// A client whose socket takes little at a time.
    pub(crate) async fn connect_narrow(address: SocketAddr, path: &str) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let stream = MaybeTlsStream::Plain(within(socket.connect(address)).await.expect("a connection"));
        let handshake = client_async(format!("ws://{address}{path}"), stream);
        Self(within(handshake).await.expect("a handshake").0)
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
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

    pub(crate) async fn send_binary(&mut self, payload: &[u8]) {
        within(self.0.send(Message::binary(payload.to_vec()))).await.expect("sent");
    }

    /// The next frame, which is a binary one.
    pub(crate) async fn binary(&mut self) -> Vec<u8> {
        loop {
            match self.next().await {
                Message::Binary(payload) => return payload.to_vec(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not binary: {other:?}"),
            }
        }
    }

    /// The code and reason with which the gateway closes, before it says anything else.
    pub(crate) async fn closed_at_once(&mut self) -> (u16, String) {
        loop {
            match self.next().await {
                Message::Ping(_) | Message::Pong(_) => {}
                Message::Close(frame) => {
                    let CloseFrame { code, reason } = frame.expect("a code");
                    return (code.into(), reason.to_string());
                }
                other => panic!("said before the end: {other:?}"),
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
