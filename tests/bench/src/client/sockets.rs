//! Many clients' connections to one server, all on one thread and one epoll.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use mio::{Events, Interest, Poll, Token, event::Event, net::TcpStream};

use super::{Ears, Framing, Guests, connection::Connection, websocket};

/// Nothing at all for so long means that something is lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than 64 messages in flight take, so that one read empties a socket.
const SCRATCH: usize = 64 * 1024;

/// Connections, each known by its place.
#[derive(Debug)]
pub(crate) struct Sockets {
    server: SocketAddr,
    framing: Framing,
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    scratch: Box<[u8]>,
}

impl Sockets {
    /// Connects these clients, and returns once each has its greeting.
    ///
    /// # Errors
    /// A client that is refused, or not served in time.
    pub(crate) fn connect(server: SocketAddr, guests: &Guests, ears: &mut impl Ears) -> Result<Self> {
        let Guests { paths, framing, at_once } = guests;
        let mut sockets = Self {
            server,
            framing: *framing,
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            connections: Vec::with_capacity(paths.len()),
            scratch: vec![0; SCRATCH].into_boxed_slice(),
        };
        while ears.greeted() < paths.len() {
            for path in paths.iter().take(ears.greeted() + at_once).skip(sockets.connections.len()) {
                sockets.open(path)?;
            }
            let (before, since) = (ears.greeted(), Instant::now());
            while ears.greeted() == before {
                sockets.turn(PATIENCE, ears).with_context(|| format!("after {before} greetings"))?;
                let count = paths.len();
                ensure!(since.elapsed() < PATIENCE, "only {before} of {count} connections were greeted");
            }
        }
        Ok(sockets)
    }

    /// How many connections there are.
    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Waits for something to happen, `patience` at most, and hands on what was heard. Returns on how
    /// many connections.
    ///
    /// # Errors
    /// Whatever is wrong with any of the connections, or with what it got.
    pub(crate) fn turn(&mut self, patience: Duration, ears: &mut impl Ears) -> Result<usize> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(0),
            other => other.context("cannot wait for events")?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let mut count = 0;
        for event in &events {
            count += 1;
            self.serve(event, ears).with_context(|| format!("connection {}", event.token().0))?;
        }
        self.events = events;
        Ok(count)
    }

    /// Says something on connection `index`.
    ///
    /// # Errors
    /// A server that doesn't read, or is gone.
    pub(crate) fn write(&mut self, index: usize, bytes: &[u8]) -> Result<()> {
        self.connections[index].write(bytes).with_context(|| format!("connection {index}"))
    }

    fn open(&mut self, path: &str) -> Result<()> {
        let mut stream = TcpStream::connect(self.server).context("cannot open another connection")?;
        let index = self.connections.len();
        self.poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        let request = websocket::upgrade_request(&self.server.to_string(), path);
        self.connections.push(Connection::new(stream, index, self.framing, request));
        Ok(())
    }

    fn serve(&mut self, event: &Event, ears: &mut impl Ears) -> Result<()> {
        let connection = &mut self.connections[event.token().0];
        if !connection.is_connecting() {
            return connection.receive(&mut self.scratch, event.is_read_closed(), ears);
        }
        if connection.ask()? {
            self.poll.registry().reregister(&mut connection.stream, event.token(), Interest::READABLE)?;
        }
        Ok(())
    }
}
