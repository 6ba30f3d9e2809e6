//! Everybody who listens to one channel of one server, and checks what comes.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use super::{
    Clock, Ears, Guests, Sockets, Stamp,
    intake::{Intake, Tally},
};

/// Finds the stamp of a text: `None` if it is no measured message.
type FindStamp = fn(&[u8]) -> Result<Option<Stamp>>;

/// The audience of one server.
#[derive(Debug)]
pub(crate) struct Audience {
    clock: Clock,
    sockets: Sockets,
    listeners: Listeners,
}

impl Audience {
    /// Connects clients whose messages `find_stamp` understands, and returns once each has its greeting.
    ///
    /// # Errors
    /// A client that is refused, or not served in time.
    pub(crate) fn connect(server: SocketAddr, guests: &Guests, find_stamp: FindStamp) -> Result<Self> {
        let clock = Clock::start();
        let each = vec![Listener::default(); guests.paths.len()];
        let mut listeners = Listeners { each, greeted: 0, find_stamp };
        let mut intake = Intake::new(clock, |_, _| Ok(()));
        let mut hearing = Hearing { listeners: &mut listeners, intake: &mut intake };
        let sockets = Sockets::connect(server, guests, &mut hearing)?;
        Ok(Self { clock, sockets, listeners })
    }

    /// The clock by which messages to this audience are stamped.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// How many connections there are.
    pub(crate) fn len(&self) -> usize {
        self.sockets.len()
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
        let mut intake = Intake::new(self.clock, deliver);
        let mut hearing = Hearing { listeners: &mut self.listeners, intake: &mut intake };
        self.sockets.turn(patience, &mut hearing)?;
        Ok(intake.tally)
    }

    /// Answers what has come meanwhile, while other servers were measured.
    ///
    /// # Errors
    /// A connection that ends or hears something.
    pub(crate) fn attend(&mut self) -> Result<()> {
        let mut intake = Intake::new(self.clock, |_, _| Ok(()));
        let mut hearing = Hearing { listeners: &mut self.listeners, intake: &mut intake };
        while self.sockets.turn(Duration::ZERO, &mut hearing)? > 0 {}
        ensure!(intake.tally.deliveries == 0, "a message that nobody published");
        Ok(())
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
}

#[derive(Debug)]
struct Listeners {
    each: Vec<Listener>,
    greeted: usize,
    find_stamp: FindStamp,
}

/// What one connection has heard.
#[derive(Debug, Default, Clone)]
struct Listener {
    is_greeted: bool,
    /// The number of the last message.
    last: u64,
}

impl Listener {
    /// Messages come once, in order, and none is missing.
    fn check(&mut self, stamp: Stamp) -> Result<()> {
        let Stamp { sequence, .. } = stamp;
        ensure!(self.is_greeted, "message {sequence} came before the greeting");
        ensure!(
            sequence == self.last + 1,
            "message {sequence} came where {} was due: lost, repeated or out of order",
            self.last + 1
        );
        self.last = sequence;
        Ok(())
    }
}

/// One turn's listening.
struct Hearing<'a, D> {
    listeners: &'a mut Listeners,
    intake: &'a mut Intake<D>,
}

impl<D: FnMut(Stamp, u64) -> Result<()>> Ears for Hearing<'_, D> {
    fn read(&mut self) {
        self.intake.read();
    }

    /// What is no message belongs to the greeting, which has an end.
    fn text(&mut self, index: usize, text: &[u8], length: usize) -> Result<()> {
        let stamp = (self.listeners.find_stamp)(text)?;
        let listener = &mut self.listeners.each[index];
        if let Some(stamp) = stamp {
            listener.check(stamp)?;
            return self.intake.deliver(stamp, length);
        }
        ensure!(listener.last == 0, "between messages came: {}", String::from_utf8_lossy(text));
        if !std::mem::replace(&mut listener.is_greeted, true) {
            self.listeners.greeted += 1;
        }
        Ok(())
    }

    fn greeted(&self) -> usize {
        self.listeners.greeted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{spliced, stamp};

    const GREETING: &[u8] = b"{\"type\":\"greeting\"}";

    /// What one listener makes of these texts.
    fn hear(texts: &[Vec<u8>]) -> Result<u64> {
        let mut listeners = Listeners { each: vec![Listener::default()], greeted: 0, find_stamp: stamp };
        let mut intake = Intake::new(Clock::start(), |_, _| Ok(()));
        let mut hearing = Hearing { listeners: &mut listeners, intake: &mut intake };
        for text in texts {
            hearing.text(0, text, text.len())?;
        }
        Ok(intake.tally.deliveries)
    }

    fn message(sequence: u64) -> Vec<u8> {
        spliced(Stamp { sequence, sent: 1 }, 128, "org.bench")
    }

    #[test]
    fn messages_in_order_are_counted() {
        let deliveries = hear(&[GREETING.to_vec(), message(1), message(2), message(3)]);
        assert_eq!(deliveries.expect("no error"), 3);
    }

    #[test]
    fn what_is_lost_repeated_or_reordered_is_an_error() {
        for numbers in [[1, 3].as_slice(), &[1, 1], &[2, 1], &[1, 2, 2]] {
            let messages = numbers.iter().map(|number| message(*number));
            let texts: Vec<_> = std::iter::once(GREETING.to_vec()).chain(messages).collect();
            assert!(hear(&texts).is_err(), "{numbers:?}");
        }
    }

    #[test]
    fn a_stranger_between_messages_is_an_error() {
        assert!(hear(&[GREETING.to_vec(), GREETING.to_vec(), message(1)]).is_ok());
        assert!(hear(&[GREETING.to_vec(), message(1), GREETING.to_vec()]).is_err());
        assert!(hear(&[message(1)]).is_err());
    }
}
