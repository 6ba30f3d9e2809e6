//! The other end of a connection, by hand: it sends any bytes, and holds what it hears to the protocol.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};

use crate::wire::{BINARY, CLOSE, PING, PONG, TEXT};

/// How long anything that is expected may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The key of RFC 6455's own example, and what answers it (section 1.3).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What the gateway sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    /// A close frame with this code.
    Close(u16),
    /// It has closed its side of the TCP connection.
    End,
}

pub(crate) struct Peer {
    stream: TcpStream,
    bytes: Vec<u8>,
    /// The head of the response to the handshake, in lower case.
    pub(crate) head: String,
}

impl Peer {
    /// A connection whose handshake is done. `headers` go with it, each with its line end.
    pub(crate) fn connect(address: SocketAddr, path: &str, headers: &str) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).context("connecting")?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut peer = Self { stream, bytes: Vec::new(), head: String::new() };
        let deadline = Instant::now() + PATIENCE;
        let end = loop {
            if let Some(end) = peer.bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            ensure!(peer.read(deadline)? == Some(true), "no answer to the handshake");
        };
        let head: Vec<u8> = peer.bytes.drain(..end).collect();
        let head = String::from_utf8(head).context("the head of the response")?;
        ensure!(head.starts_with("HTTP/1.1 101 "), "{head}");
        ensure!(head.contains(ACCEPT), "{head}");
        peer.head = head.to_ascii_lowercase();
        Ok(peer)
    }

    /// Sends bytes in one go. A gateway that has closed doesn't take them: what it said tells why.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Sends bytes in chops of so many.
    pub(crate) fn chop(&mut self, bytes: &[u8], size: usize) {
        bytes.chunks(size).for_each(|chop| self.send(chop));
    }

    /// What comes next.
    pub(crate) fn next(&mut self) -> anyhow::Result<Heard> {
        self.next_within(PATIENCE)?.context("nothing was heard in time")
    }

    /// What comes next, unless that takes longer.
    pub(crate) fn next_within(&mut self, time: Duration) -> anyhow::Result<Option<Heard>> {
        let deadline = Instant::now() + time;
        loop {
            if let Some((heard, size)) = frame(&self.bytes)? {
                self.bytes.drain(..size);
                return Ok(Some(heard));
            }
            match self.read(deadline)? {
                Some(true) => {}
                Some(false) if self.bytes.is_empty() => return Ok(Some(Heard::End)),
                Some(false) => bail!("the connection ends within a frame"),
                None => return Ok(None),
            }
        }
    }

    /// Reads something: whether there was anything before the end. `None`: not in time.
    fn read(&mut self, deadline: Instant) -> anyhow::Result<Option<bool>> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        let mut buffer = [0; 64 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.bytes.extend_from_slice(&buffer[..count]);
                Ok(Some(count > 0))
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => Ok(None),
            Err(error) => Err(error).context("reading"),
        }
    }
}

/// The frame at the front, and its size. A server's frames are never masked, here never fragmented, and their
/// lengths are written in the shortest way.
fn frame(bytes: &[u8]) -> anyhow::Result<Option<(Heard, usize)>> {
    let Some((first, second)) = bytes.first().zip(bytes.get(1)) else { return Ok(None) };
    ensure!(first & 0x80 != 0 && first & 0x70 == 0, "a frame that begins with {first:#x}");
    ensure!(second & 0x80 == 0, "a masked frame");
    let (length, start) = match second & 0x7F {
        126 => match bytes.get(2..).and_then(<[u8]>::first_chunk) {
            Some(length) => (u64::from(u16::from_be_bytes(*length)), 4),
            None => return Ok(None),
        },
        127 => match bytes.get(2..).and_then(<[u8]>::first_chunk) {
            Some(length) => (u64::from_be_bytes(*length), 10),
            None => return Ok(None),
        },
        length => (u64::from(length), 2),
    };
    let shortest = match length {
        0..126 => 2,
        126..65_536 => 4,
        _ => 10,
    };
    ensure!(start == shortest, "a length of {length} that takes {start} bytes of header");
    let size = start + usize::try_from(length)?;
    let Some(payload) = bytes.get(start..size) else { return Ok(None) };
    Ok(Some((heard(first & 0x0F, payload)?, size)))
}

fn heard(opcode: u8, payload: &[u8]) -> anyhow::Result<Heard> {
    ensure!(opcode < CLOSE || payload.len() <= 125, "a control frame of {} bytes", payload.len());
    Ok(match opcode {
        TEXT => Heard::Text(std::str::from_utf8(payload).context("a text")?.into()),
        BINARY => Heard::Binary(payload.to_vec()),
        PONG => Heard::Pong(payload.to_vec()),
        CLOSE => {
            let (code, reason) = payload.split_first_chunk().context("a close frame without a code")?;
            std::str::from_utf8(reason).context("a close reason")?;
            Heard::Close(u16::from_be_bytes(*code))
        }
        PING => bail!("a ping, within seconds"),
        other => bail!("a frame of opcode {other:#x}"),
    })
}
