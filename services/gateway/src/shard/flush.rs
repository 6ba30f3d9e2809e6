//! Writing what is pending: connection by connection in turns, each in one write where the socket
//! takes it. Whoever waits for its turn gets in that write what arrives meanwhile, too.

use std::{io, time::Instant};

use super::{
    connection::{Connection, Key, Line},
    registry::{Inner, Shard},
};

/// Up to about this many bytes, copying into one buffer beats a vectored write.
const GATHERED: usize = 16 * 1024;

/// Connections that are written to before other tasks of the worker get their turn.
const SLICE: usize = 128;

impl Shard {
    /// The socket takes bytes again.
    pub(crate) fn writable(&self, key: Key) {
        let inner = &mut *self.inner.borrow_mut();
        if let Some(connection) = inner.carrier(key) {
            connection.is_blocked = false;
            // It has taken what was sent, so it is there.
            connection.hear(self.second());
            self.flush_now(inner, key);
        }
    }

    /// Writes what waits for a connection before its turn comes.
    pub(crate) fn write_now(&self, key: Key) {
        self.flush_now(&mut self.inner.borrow_mut(), key);
    }

    /// Whether some connection waits for its turn, and may have it.
    pub(super) fn has_pending(&self) -> bool {
        let turns = &self.inner.borrow().turns;
        !turns.is_empty() && turns.held_until().is_none()
    }

    /// If whoever waits is held for a moment: until when.
    pub(super) fn held_until(&self) -> Option<Instant> {
        self.inner.borrow().turns.held_until()
    }

    /// Writes to the next connections that wait for their turn. The others wait on, and get what
    /// arrives until then in the same write.
    pub(super) fn flush(&self) {
        let second = self.second();
        let inner = &mut *self.inner.borrow_mut();
        let (mut bytes, mut slots) = (0, std::mem::take(&mut inner.slice));
        inner.turns.take(SLICE, &mut slots, &mut inner.through, Instant::now());
        for slot in slots.drain(..) {
            // The place may be empty by now, or another connection's; flushing that does no harm.
            if let Some(connection) = inner.connections.get_mut(slot) {
                connection.is_dirty = false;
            }
            bytes += inner.flush_one(slot, second);
        }
        inner.slice = slots;
        self.instruments.written(bytes, &mut inner.through);
    }
}

impl Inner {
    /// Writes what waits for one connection. Returns the bytes written.
    pub(super) fn flush_one(&mut self, slot: usize, second: u32) -> u64 {
        let Some(connection) = self.connections.get_mut(slot) else { return 0 };
        let is_writable = !connection.is_blocked && !connection.is_broken;
        let written = if is_writable { connection.flush(&mut self.scratch, second) } else { 0 };
        if self.is_counted {
            self.tallies.wrote(connection, written);
        }
        written
    }
}

impl Connection {
    /// Writes until nothing waits or the socket takes no more. Returns the bytes written.
    fn flush(&mut self, scratch: &mut Vec<u8>, second: u32) -> u64 {
        if self.hand_over(second) {
            return 0;
        }
        let mut total = 0;
        while !self.outgoing.is_empty() || self.make_up() {
            match self.write(scratch) {
                Ok(0) => {
                    self.is_broken = true;
                    self.notify();
                    return total;
                }
                Ok(written) => {
                    total += written as u64;
                    self.outgoing.advance(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_blocked = true;
                    self.blocked_since = second;
                    self.notify();
                    return total;
                }
                Err(_) => {
                    self.is_broken = true;
                    self.notify();
                    return total;
                }
            }
        }
        if self.closing.is_some() || self.opening.is_some() {
            // Its task waits for the queue to be empty.
            self.notify();
        }
        total
    }

    fn write(&self, scratch: &mut Vec<u8>) -> io::Result<usize> {
        let Line::Socket { socket, .. } = &self.line else { return Err(io::ErrorKind::NotConnected.into()) };
        if let Some(bytes) = self.outgoing.only() {
            return socket.send(bytes);
        }
        self.outgoing.gather(scratch, GATHERED);
        socket.send(scratch)
    }
}
