//! The other end of a connection, by hand: it sends any bytes, and holds what it hears to the protocol.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use flate2::{Decompress, FlushDecompress, Status};

use crate::{
    stage::Stage,
    wire::{BINARY, CLOSE, COMPRESSED, FINAL, PING, PONG, TEXT},
};

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
    /// How far back compressed messages may refer, as a power of two, if there may be any.
    window: Option<u8>,
    /// How many there were.
    pub(crate) compressed: usize,
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
        let mut peer = Self { stream, bytes: Vec::new(), head: String::new(), window: None, compressed: 0 };
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
        peer.window = window(&peer.head)?;
        Ok(peer)
    }

    /// A connection to the gateway that compresses, which has accepted this offer.
    pub(crate) fn agreeing(stage: &Stage, path: &str, offer: &str) -> anyhow::Result<Self> {
        let header = format!("Sec-WebSocket-Extensions: {offer}\r\n");
        let peer = Self::connect(stage.compressing, path, &header)?;
        ensure!(peer.window.is_some(), "{offer} was declined");
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

    /// What is left of it for somebody who no longer listens to frames.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// What comes next.
    pub(crate) fn next(&mut self) -> anyhow::Result<Heard> {
        self.next_within(PATIENCE)?.context("nothing was heard in time")
    }

    /// What comes next, unless that takes longer.
    pub(crate) fn next_within(&mut self, time: Duration) -> anyhow::Result<Option<Heard>> {
        let deadline = Instant::now() + time;
        loop {
            if let Some((heard, size)) = frame(&self.bytes, self.window)? {
                self.compressed += usize::from(self.bytes[0] & COMPRESSED != 0);
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
fn frame(bytes: &[u8], window: Option<u8>) -> anyhow::Result<Option<(Heard, usize)>> {
    let Some((first, second)) = bytes.first().zip(bytes.get(1)) else { return Ok(None) };
    let is_compressed = first & COMPRESSED != 0;
    let may_be_compressed = window.is_some() && matches!(first & 0x0F, TEXT | BINARY);
    let is_right = first & FINAL != 0 && first & 0x30 == 0 && (may_be_compressed || !is_compressed);
    ensure!(is_right, "a frame that begins with {first:#x}");
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
    let inflated = match window.filter(|_| is_compressed) {
        Some(bits) => inflated(payload, bits).context("a compressed message")?,
        None => payload.to_vec(),
    };
    ensure!(!is_compressed || payload.len() < inflated.len(), "compressed, it is no smaller");
    Ok(Some((heard(first & 0x0F, &inflated)?, size)))
}

/// The window of a server's compressed messages, if they were agreed on. It is the same server that says that no
/// message depends on another.
fn window(head: &str) -> anyhow::Result<Option<u8>> {
    let Some(line) = head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: ")) else {
        return Ok(None);
    };
    let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let rest = line.strip_prefix(agreed).with_context(|| line.to_owned())?;
    match rest.strip_prefix("; server_max_window_bits=") {
        Some(bits) => Ok(Some(bits.parse()?)),
        None if rest.is_empty() => Ok(Some(15)),
        None => bail!("{line}"),
    }
}

/// A message, inflated in steps of a few bytes: whoever does so needs what it refers to in its window.
fn inflated(payload: &[u8], bits: u8) -> anyhow::Result<Vec<u8>> {
    let mut state = Decompress::new_with_window_bits(false, bits);
    let (mut input, mut output) = ([payload, &[0, 0, 0xFF, 0xFF]].concat(), Vec::new());
    loop {
        let (mut room, taken, made) = ([0; 32], state.total_in(), state.total_out());
        let status = state.decompress(&input, &mut room, FlushDecompress::Sync)?;
        input.drain(..usize::try_from(state.total_in() - taken)?);
        let count = usize::try_from(state.total_out() - made)?;
        output.extend_from_slice(&room[..count]);
        if input.is_empty() && count < room.len() {
            ensure!(status != Status::StreamEnd, "a last block");
            return Ok(output);
        }
    }
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
