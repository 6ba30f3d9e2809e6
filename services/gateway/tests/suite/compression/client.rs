//! A client that offers compression, by hand, and hears how frames come.

use std::net::SocketAddr;

use flate2::{Decompress, FlushDecompress};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::client::within;

pub(super) struct Offering {
    stream: TcpStream,
    bytes: Vec<u8>,
    /// How many frames came compressed.
    pub(super) compressed: usize,
}

impl Offering {
    /// A connection for which this offer was accepted.
    pub(super) async fn connect(address: SocketAddr, path: &str, offer: &str) -> Self {
        let mut stream = within(TcpStream::connect(address)).await.expect("a connection");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: {offer}\r\n\r\n"
        );
        within(stream.write_all(request.as_bytes())).await.expect("sent");
        let mut client = Self { stream, bytes: Vec::new(), compressed: 0 };
        let end = loop {
            if let Some(end) = client.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            client.read().await;
        };
        let head: Vec<u8> = client.bytes.drain(..end).collect();
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        assert!(head.contains("sec-websocket-extensions: permessage-deflate"), "{head}");
        client
    }

    /// The next text.
    pub(super) async fn json(&mut self) -> Value {
        loop {
            if let Some((first, payload)) = self.frame() {
                assert_eq!(first & 0x8F, 0x81, "a text");
                let is_compressed = first & 0x40 != 0;
                self.compressed += usize::from(is_compressed);
                let text = if is_compressed { inflated(&payload) } else { payload };
                return serde_json::from_slice(&text).expect("JSON");
            }
            self.read().await;
        }
    }

    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let (length, start) = match self.bytes.get(1)? {
            126 => (usize::from(u16::from_be_bytes(*self.bytes.get(2..)?.first_chunk()?)), 4),
            127 => (
                usize::try_from(u64::from_be_bytes(*self.bytes.get(2..)?.first_chunk()?)).expect("a length"),
                10,
            ),
            length => (usize::from(*length), 2),
        };
        let payload = self.bytes.get(start..start + length)?.to_vec();
        let first = self.bytes[0];
        self.bytes.drain(..start + length);
        Some((first, payload))
    }

    async fn read(&mut self) {
        let count = within(self.stream.read_buf(&mut self.bytes)).await.expect("bytes");
        assert_ne!(count, 0, "the end");
    }
}

fn inflated(payload: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(1 << 20);
    let input = [payload, &[0, 0, 0xFF, 0xFF]].concat();
    Decompress::new(false).decompress_vec(&input, &mut output, FlushDecompress::Sync).expect("a message");
    output
}
