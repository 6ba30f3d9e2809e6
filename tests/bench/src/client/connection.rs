//! One client's connection: its handshake, and the frames that it gets.

use std::io::{self, Read, Write};

use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;

use super::{
    Framing,
    framing::Meaning,
    websocket::{self, Frame, Opcode},
};

/// More bytes than a server has any reason to leave incomplete.
const MAX_PARTIAL: usize = 256 * 1024;

/// Where what connections get goes.
pub(crate) trait Ears {
    /// A socket was just read with success.
    fn read(&mut self);

    /// Connection `index` got a text. Its frame is `length` bytes long.
    ///
    /// # Errors
    /// A text that should not be there.
    fn text(&mut self, index: usize, text: &[u8], length: usize) -> Result<()>;

    /// How many connections have been greeted: what is sent from then on is to reach them.
    fn greeted(&self) -> usize;
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Upgrading,
    Open,
}

/// A non-blocking socket that listens.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    index: usize,
    framing: Framing,
    stage: Stage,
    /// What asks for the upgrade, until it is sent.
    request: Vec<u8>,
    /// The beginning of what has not wholly arrived; nearly always empty.
    partial: Vec<u8>,
}

impl Connection {
    /// One of many, which asks for an upgrade once it stands.
    pub(crate) fn new(stream: TcpStream, index: usize, framing: Framing, request: Vec<u8>) -> Self {
        Self { stream, index, framing, stage: Stage::Connecting, request, partial: Vec::new() }
    }

    /// Whether nothing has been asked for yet.
    pub(crate) fn is_connecting(&self) -> bool {
        self.stage == Stage::Connecting
    }

    /// Asks for the upgrade, if the connection stands by now. Returns whether it does.
    pub(crate) fn ask(&mut self) -> Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error).context("cannot connect");
        }
        match self.stream.peer_addr() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(false),
            found => found.context("cannot connect")?,
        };
        self.stream.set_nodelay(true)?;
        let request = std::mem::take(&mut self.request);
        self.write(&request)?;
        self.stage = Stage::Upgrading;
        Ok(true)
    }

    /// Reads all that there is.
    ///
    /// `ending` says that the peer has shut down its side, so that there is an end to be read.
    ///
    /// # Errors
    /// A text that should not be there; a close; anything but RFC 6455.
    pub(crate) fn receive(&mut self, scratch: &mut [u8], ending: bool, ears: &mut impl Ears) -> Result<()> {
        loop {
            let length = match self.stream.read(scratch) {
                Ok(0) => bail!("the server ended the connection without a close frame"),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("cannot read"),
            };
            ears.read();
            self.take_in(&scratch[..length], ears)?;
            // A short read has emptied the socket, which spares asking it again.
            if length < scratch.len() && !ending {
                return Ok(());
            }
        }
    }

    fn take_in(&mut self, bytes: &[u8], ears: &mut impl Ears) -> Result<()> {
        if self.partial.is_empty() {
            let used = self.consume(bytes, ears)?;
            self.partial.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.partial);
        pending.extend_from_slice(bytes);
        let used = self.consume(&pending, ears)?;
        if used < pending.len() {
            pending.drain(..used);
            ensure!(pending.len() <= MAX_PARTIAL, "the server never completes a frame");
            self.partial = pending;
        }
        Ok(())
    }

    /// Returns how many of the bytes are dealt with.
    fn consume(&mut self, bytes: &[u8], ears: &mut impl Ears) -> Result<usize> {
        let mut used = 0;
        if self.stage == Stage::Upgrading {
            let Some(head) = websocket::accepted(bytes)? else { return Ok(0) };
            used = head;
            self.stage = Stage::Open;
        }
        while let Some(frame) = websocket::frame(&bytes[used..])? {
            used += frame.length;
            self.handle(&frame, ears)?;
        }
        Ok(used)
    }

    fn handle(&mut self, frame: &Frame<'_>, ears: &mut impl Ears) -> Result<()> {
        match frame.opcode {
            Opcode::Text => match self.framing.interpret(frame.payload)? {
                Meaning::Text(text) => ears.text(self.index, text, frame.length),
                Meaning::Answer(answer) => self.write(&websocket::client_text(answer)?),
            },
            Opcode::Ping => self.write(&websocket::pong(frame.payload)?),
            Opcode::Pong => Ok(()),
            Opcode::Close => bail!("the server closed the connection: {}", reason(frame.payload)),
        }
    }

    /// Says something. It fits into the socket, because clients say little before they hear something.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.stream.write(bytes).context("cannot write")?;
        ensure!(written == bytes.len(), "the server doesn't read what its clients say");
        Ok(())
    }
}

fn reason(payload: &[u8]) -> String {
    match payload {
        [high, low, reason @ ..] => {
            format!("{} {}", u16::from_be_bytes([*high, *low]), String::from_utf8_lossy(reason))
        }
        _ => "no code".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, net::TcpListener};

    use super::*;

    #[derive(Default)]
    struct Heard {
        texts: Vec<String>,
        reads: usize,
    }

    impl Ears for Heard {
        fn read(&mut self) {
            self.reads += 1;
        }

        fn text(&mut self, index: usize, text: &[u8], _length: usize) -> Result<()> {
            assert_eq!(index, 7);
            self.texts.push(String::from_utf8_lossy(text).into_owned());
            Ok(())
        }

        fn greeted(&self) -> usize {
            0
        }
    }

    /// A connection that gets what the test writes.
    fn open_connection() -> (Connection, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let stream = std::net::TcpStream::connect(listener.local_addr().expect("an address"));
        let (server, _) = listener.accept().expect("a connection");
        // Blocking, so that the test's only read waits for what was written.
        let stream = TcpStream::from_std(stream.expect("a stream"));
        let mut connection = Connection::new(stream, 7, Framing::Plain, Vec::new());
        connection.stage = Stage::Open;
        (connection, server)
    }

    #[test]
    fn what_comes_together_is_told_apart() {
        let (mut connection, mut server) = open_connection();
        let mut bytes = Vec::new();
        for text in ["one", "two", "three"] {
            websocket::write_text(text.as_bytes(), &mut bytes);
        }
        server.write_all(&bytes).expect("to write");
        let mut heard = Heard::default();
        connection.receive(&mut [0; 4096], false, &mut heard).expect("no error");
        assert_eq!((heard.texts.join(" ").as_str(), heard.reads), ("one two three", 1));
    }

    #[test]
    fn an_end_is_an_error() {
        let (mut connection, mut server) = open_connection();
        server.write_all(&[0x88, 0x02, 0x03, 0xf5]).expect("to write");
        let mut heard = Heard::default();
        let closed = connection.receive(&mut [0; 4096], false, &mut heard).expect_err("a close");
        assert!(closed.to_string().contains("1013"), "{closed}");
        drop(server);
        assert!(connection.receive(&mut [0; 4096], true, &mut heard).is_err());
    }

    #[test]
    fn a_text_that_arrives_byte_by_byte_is_one() {
        let (mut connection, _server) = open_connection();
        let mut bytes = Vec::new();
        websocket::write_text(b"in pieces", &mut bytes);
        let mut heard = Heard::default();
        for byte in bytes {
            connection.take_in(&[byte], &mut heard).expect("no error");
        }
        assert_eq!(heard.texts, ["in pieces"]);
        assert_eq!(connection.partial.capacity(), 0);
    }
}
