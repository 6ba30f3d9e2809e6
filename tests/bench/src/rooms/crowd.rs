//! The load client: everybody in all rooms, who speaks again on hearing itself.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    hall::{Hall, Tally},
    shape::Shape,
};
use crate::client::{Guests, Sockets, websocket};

/// No message for so long means that one is lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a crowd speaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// How many connections of each room speak; the others listen.
    pub(crate) speakers: usize,
    /// How many messages each of them has in flight.
    pub(crate) window: usize,
    /// The length of a message's text, in bytes.
    pub(crate) bytes: usize,
}

/// Connections in rooms, all on this thread.
pub(crate) struct Crowd {
    shape: Shape,
    manner: Manner,
    sockets: Sockets,
    pub(crate) hall: Hall,
}

impl Crowd {
    /// Connects everybody, and returns once each has been greeted.
    ///
    /// # Errors
    /// A client that is refused, or not served in time.
    pub(crate) fn connect(server: SocketAddr, shape: Shape, manner: Manner) -> Result<Self> {
        let mut hall = Hall::new(shape)?;
        // Without a history a room says nothing to a newcomer, which then couldn't tell when it is in.
        let path = |index| format!("/ws/chat/{}/?history=0", shape.room_name(shape.room_of(index)));
        let guests = Guests::new((0..shape.connections()).map(path).collect());
        let sockets = Sockets::connect(server, &guests, &mut hall)?;
        Ok(Self { shape, manner, sockets, hall })
    }

    /// Everybody speaks for the first time, as far as nothing is in flight.
    ///
    /// # Errors
    /// A server that is gone.
    pub(crate) fn begin(&mut self) -> Result<()> {
        let Self { shape, manner, .. } = *self;
        let speaks = |index: &usize| index % shape.members < manner.speakers;
        (0..shape.connections()).filter(speaks).try_for_each(|index| self.speak(index))
    }

    /// Speaks and listens for `period`, and says what was heard.
    ///
    /// # Errors
    /// A message that is lost, repeated, out of order or late beyond reason.
    pub(crate) fn converse(&mut self, period: Duration) -> Result<Tally> {
        self.hall.reset();
        let start = Instant::now();
        while start.elapsed() < period {
            self.listen()?;
            for speaker in self.hall.take_due() {
                self.speak(speaker)?;
            }
        }
        Ok(self.hall.tally)
    }

    /// Listens until everybody has heard everything, and checks that everybody has.
    ///
    /// # Errors
    /// As [`converse`](Self::converse).
    pub(crate) fn end(&mut self) -> Result<()> {
        while self.hall.outstanding() > 0 {
            self.listen()?;
        }
        self.hall.take_due();
        self.hall.forget()
    }

    /// Until something was heard.
    fn listen(&mut self) -> Result<()> {
        let (before, since) = (self.hall.outstanding(), Instant::now());
        while self.hall.outstanding() == before {
            self.sockets.turn(PATIENCE, &mut self.hall)?;
            ensure!(since.elapsed() < PATIENCE, "{before} deliveries did not come");
        }
        Ok(())
    }

    fn speak(&mut self, speaker: usize) -> Result<()> {
        let mut frames = Vec::new();
        for speech in self.hall.speak(speaker, self.manner.window) {
            frames.extend(websocket::client_text(speech.frame(self.manner.bytes).as_bytes())?);
        }
        if frames.is_empty() { Ok(()) } else { self.sockets.write(speaker, &frames) }
    }
}
