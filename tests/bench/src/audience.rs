//! The load client: many connections to one server, all on one thread and one epoll.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use mio::{Events, Interest, Poll, Token, event::Event, net::TcpStream};

use crate::{
    connection::{Connection, Stage},
    intake::{Intake, Tally},
    message::{Clock, Stamp},
};

/// Handshakes under way at once: fewer than any server's backlog.
const HANDSHAKES: usize = 64;
/// Nothing at all for so long means that something is lost.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than 64 messages in flight take, so that one read empties a socket.
const SCRATCH: usize = 64 * 1024;

/// Everybody who listens to one server.
#[derive(Debug)]
pub(crate) struct Audience {
    server: SocketAddr,
    path: &'static str,
    clock: Clock,
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    ready: usize,
    scratch: Box<[u8]>,
}

impl Audience {
    /// Connects `count` clients to `path`, and returns once each has its greeting.
    ///
    /// # Errors
    /// A client that is refused, or not served in time.
    pub(crate) fn connect(server: SocketAddr, path: &'static str, count: usize) -> Result<Self> {
        let mut audience = Self {
            server,
            path,
            clock: Clock::start(),
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            connections: Vec::with_capacity(count),
            ready: 0,
            scratch: vec![0; SCRATCH].into_boxed_slice(),
        };
        while audience.ready < count {
            while audience.connections.len() < count.min(audience.ready + HANDSHAKES) {
                audience.open()?;
            }
            let (before, since) = (audience.ready, Instant::now());
            while audience.ready == before {
                audience
                    .turn(PATIENCE, |_, _| Ok(()))
                    .with_context(|| format!("after {before} greetings"))?;
                ensure!(since.elapsed() < PATIENCE, "only {before} of {count} connections were greeted");
            }
        }
        Ok(audience)
    }

    /// The clock by which messages to this audience are stamped.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// How many connections there are.
    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Waits for something to happen, `patience` at most, and hands every measured message to `deliver`
    /// with the time at which it was read.
    ///
    /// # Errors
    /// Whatever any of the connections finds wrong, and what `deliver` does.
    pub(crate) fn turn(
        &mut self,
        patience: Duration,
        deliver: impl FnMut(Stamp, u64) -> Result<()>,
    ) -> Result<Tally> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(Tally::default()),
            other => other.context("cannot wait for events")?,
        }
        let mut intake = Intake::new(self.clock, deliver);
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            self.serve(event, &mut intake).with_context(|| format!("connection {}", event.token().0))?;
        }
        self.events = events;
        Ok(intake.tally)
    }

    /// Serves the connections for `period`, in which no message is due.
    ///
    /// # Errors
    /// A connection that ends or hears something.
    pub(crate) fn stay_quiet(&mut self, period: Duration) -> Result<()> {
        let end = Instant::now() + period;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            let tally = self.turn(left, |_, _| Ok(()))?;
            ensure!(tally.deliveries == 0, "a message that nobody published");
        }
        Ok(())
    }

    fn open(&mut self) -> Result<()> {
        let mut stream = TcpStream::connect(self.server).context("cannot open another connection")?;
        let token = Token(self.connections.len());
        self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
        self.connections.push(Connection::new(stream));
        Ok(())
    }

    fn serve<D>(&mut self, event: &Event, intake: &mut Intake<D>) -> Result<()>
    where
        D: FnMut(Stamp, u64) -> Result<()>,
    {
        let connection = &mut self.connections[event.token().0];
        let before = connection.stage;
        if before == Stage::Connecting {
            if connection.ask(self.server, self.path)? {
                self.poll.registry().reregister(&mut connection.stream, event.token(), Interest::READABLE)?;
            }
            return Ok(());
        }
        connection.receive(&mut self.scratch, event.is_read_closed(), intake)?;
        if before != Stage::Ready && connection.stage == Stage::Ready {
            self.ready += 1;
        }
        Ok(())
    }
}
