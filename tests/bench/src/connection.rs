//! One client's connection: its handshake, and the frames that it gets.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;

use crate::{
    intake::Intake,
    message::{Stamp, stamp},
    websocket::{self, Frame, Opcode},
};

/// More bytes than a server has any reason to leave incomplete.
const MAX_PARTIAL: usize = 256 * 1024;

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Connecting,
    Upgrading,
    AwaitingGreeting,
    /// Greeted, so everything published from now on is to arrive.
    Ready,
}

/// A non-blocking socket that listens.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: TcpStream,
    pub(crate) stage: Stage,
    /// The number of the last message.
    last: u64,
    /// The beginning of what has not wholly arrived; nearly always empty.
    partial: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, stage: Stage::Connecting, last: 0, partial: Vec::new() }
    }

    /// Asks for the upgrade, if the connection stands by now. Returns whether it does.
    pub(crate) fn ask(&mut self, server: SocketAddr, path: &str) -> Result<bool> {
        if let Some(error) = self.stream.take_error()? {
            return Err(error).context("cannot connect");
        }
        match self.stream.peer_addr() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(false),
            found => found.context("cannot connect")?,
        };
        self.stream.set_nodelay(true)?;
        self.write(&websocket::upgrade_request(&server.to_string(), path))?;
        self.stage = Stage::Upgrading;
        Ok(true)
    }

    /// Reads all that there is.
    ///
    /// `ending` says that the peer has shut down its side, so that there is an end to be read.
    ///
    /// # Errors
    /// A message that is missing, repeated or out of order; a close; anything but RFC 6455.
    pub(crate) fn receive<D: FnMut(Stamp, u64) -> Result<()>>(
        &mut self,
        scratch: &mut [u8],
        ending: bool,
        intake: &mut Intake<D>,
    ) -> Result<()> {
        loop {
            let length = match self.stream.read(scratch) {
                Ok(0) => bail!("the server ended the connection without a close frame"),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("cannot read"),
            };
            intake.read();
            self.take_in(&scratch[..length], intake)?;
            // A short read has emptied the socket, which spares asking it again.
            if length < scratch.len() && !ending {
                return Ok(());
            }
        }
    }

    fn take_in<D: FnMut(Stamp, u64) -> Result<()>>(
        &mut self,
        bytes: &[u8],
        intake: &mut Intake<D>,
    ) -> Result<()> {
        if self.partial.is_empty() {
            let used = self.consume(bytes, intake)?;
            self.partial.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.partial);
        pending.extend_from_slice(bytes);
        let used = self.consume(&pending, intake)?;
        if used < pending.len() {
            pending.drain(..used);
            ensure!(pending.len() <= MAX_PARTIAL, "the server never completes a frame");
            self.partial = pending;
        }
        Ok(())
    }

    /// Returns how many of the bytes are dealt with.
    fn consume<D: FnMut(Stamp, u64) -> Result<()>>(
        &mut self,
        bytes: &[u8],
        intake: &mut Intake<D>,
    ) -> Result<usize> {
        let mut used = 0;
        if self.stage == Stage::Upgrading {
            let Some(head) = websocket::accepted(bytes)? else { return Ok(0) };
            used = head;
            self.stage = Stage::AwaitingGreeting;
        }
        while let Some(frame) = websocket::frame(&bytes[used..])? {
            used += frame.length;
            self.handle(&frame, intake)?;
        }
        Ok(used)
    }

    fn handle<D: FnMut(Stamp, u64) -> Result<()>>(
        &mut self,
        frame: &Frame<'_>,
        intake: &mut Intake<D>,
    ) -> Result<()> {
        match frame.opcode {
            Opcode::Text => match stamp(frame.payload)? {
                Some(stamp) => {
                    self.check(stamp)?;
                    intake.deliver(stamp, frame.length)
                }
                None => self.greeted(frame.payload),
            },
            Opcode::Ping => self.write(&websocket::pong(frame.payload)?),
            Opcode::Pong => Ok(()),
            Opcode::Close => bail!("the server closed the connection: {}", reason(frame.payload)),
        }
    }

    /// Messages come once, in order, and none is missing.
    fn check(&mut self, stamp: Stamp) -> Result<()> {
        let Stamp { sequence, .. } = stamp;
        ensure!(self.stage == Stage::Ready, "message {sequence} came before the greeting");
        ensure!(
            sequence == self.last + 1,
            "message {sequence} came where {} was due: lost, repeated or out of order",
            self.last + 1
        );
        self.last = sequence;
        Ok(())
    }

    /// Anything else belongs to the greeting, which has an end.
    fn greeted(&mut self, payload: &[u8]) -> Result<()> {
        ensure!(self.last == 0, "between messages came: {}", String::from_utf8_lossy(payload));
        self.stage = Stage::Ready;
        Ok(())
    }

    /// What clients say is short and rare, so it always fits into the socket.
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
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
    use crate::{
        intake::Tally,
        message::{Clock, spliced},
    };

    /// A connection that gets what the test writes.
    fn greeted_connection() -> (Connection, std::net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let stream = std::net::TcpStream::connect(listener.local_addr().expect("an address"));
        let (server, _) = listener.accept().expect("a connection");
        // Blocking, so that the test's only read waits for what was written.
        let mut connection = Connection::new(TcpStream::from_std(stream.expect("a stream")));
        connection.stage = Stage::Ready;
        (connection, server)
    }

    fn read(frames: &[Vec<u8>]) -> Result<Tally> {
        let (mut connection, mut server) = greeted_connection();
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| websocket::write_text(frame, &mut bytes));
        server.write_all(&bytes).expect("to write");
        let mut intake = Intake::new(Clock::start(), |_, _| Ok(()));
        connection.receive(&mut [0; 4096], false, &mut intake)?;
        Ok(intake.tally)
    }

    fn message(sequence: u64) -> Vec<u8> {
        spliced(Stamp { sequence, sent: 1 }, 128)
    }

    #[test]
    fn messages_in_order_are_counted() {
        let tally = read(&[message(1), message(2), message(3)]).expect("no error");
        assert_eq!((tally.deliveries, tally.reads), (3, 1));
    }

    #[test]
    fn what_is_lost_repeated_or_reordered_is_an_error() {
        for numbers in [[1, 3].as_slice(), &[1, 1], &[2, 1], &[1, 2, 2]] {
            let frames: Vec<_> = numbers.iter().map(|number| message(*number)).collect();
            assert!(read(&frames).is_err(), "{numbers:?}");
        }
    }

    #[test]
    fn an_end_is_an_error() {
        let (mut connection, mut server) = greeted_connection();
        server.write_all(&[0x88, 0x02, 0x03, 0xf5]).expect("to write");
        let mut intake = Intake::new(Clock::start(), |_, _| Ok(()));
        let closed = connection.receive(&mut [0; 4096], false, &mut intake).expect_err("a close");
        assert!(closed.to_string().contains("1013"), "{closed}");
        drop(server);
        assert!(connection.receive(&mut [0; 4096], true, &mut intake).is_err());
    }

    #[test]
    fn a_stranger_between_messages_is_an_error() {
        assert!(read(&[b"{\"type\":\"greeting\"}".to_vec(), message(1)]).is_ok());
        assert!(read(&[message(1), b"{\"type\":\"recovery\"}".to_vec()]).is_err());
    }

    #[test]
    fn a_message_that_arrives_byte_by_byte_is_one() {
        let (mut connection, _server) = greeted_connection();
        let mut bytes = Vec::new();
        websocket::write_text(&message(1), &mut bytes);
        let mut intake = Intake::new(Clock::start(), |_, _| Ok(()));
        for byte in bytes {
            connection.take_in(&[byte], &mut intake).expect("no error");
        }
        assert_eq!(intake.tally.deliveries, 1);
        assert_eq!(connection.partial.capacity(), 0);
    }
}
