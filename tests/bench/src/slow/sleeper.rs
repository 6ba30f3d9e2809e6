//! A client that reads nothing.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use socket2::{Domain, Socket, Type};

use crate::client::websocket::{self, Opcode};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// As little as it may hold, so that the server soon notices.
const RECEIVED: usize = 4 * 1024;

/// A client that was let in, and has fallen asleep.
#[derive(Debug)]
pub(super) struct Sleeper {
    stream: TcpStream,
    pending: Vec<u8>,
}

impl Sleeper {
    pub(super) fn connect(server: SocketAddr, path: &str) -> Result<Self> {
        let socket = Socket::new(Domain::for_address(server), Type::STREAM, None)?;
        socket.set_recv_buffer_size(RECEIVED)?;
        socket.connect(&server.into()).context("cannot connect a slow client")?;
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(&websocket::upgrade_request(&server.to_string(), path))?;
        let mut sleeper = Self { stream, pending: Vec::new() };
        let head = loop {
            sleeper.read()?;
            if let Some(head) = websocket::accepted(&sleeper.pending)? {
                break head;
            }
        };
        sleeper.pending.drain(..head);
        Ok(sleeper)
    }

    /// Wakes up, and reads to the end: the code with which it was closed.
    ///
    /// # Errors
    /// A connection that ends without a close frame, or not at all.
    pub(super) fn close_code(mut self) -> Result<u16> {
        loop {
            let mut used = 0;
            while let Some(frame) = websocket::frame(&self.pending[used..])? {
                used += frame.length;
                if frame.opcode == Opcode::Close {
                    let [high, low, ..] = frame.payload else { bail!("a close without a code") };
                    return Ok(u16::from_be_bytes([*high, *low]));
                }
            }
            self.pending.drain(..used);
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<()> {
        let mut buffer = [0; 64 * 1024];
        let length = self.stream.read(&mut buffer).context("a slow client")?;
        ensure!(length > 0, "a slow client's connection ended without a close frame");
        self.pending.extend_from_slice(&buffer[..length]);
        Ok(())
    }
}
