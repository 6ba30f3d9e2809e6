//! Writing what is pending: each connection once a turn, in one write where the socket takes it.

use std::io;

use super::{
    connection::{Connection, Key},
    registry::{Inner, Shard},
};
use crate::metrics::Metrics;

/// Up to about this many bytes, copying into one buffer beats a vectored write.
const GATHERED: usize = 16 * 1024;

impl Shard {
    /// The socket takes bytes again.
    pub(crate) fn writable(&self, key: Key) {
        let inner = &mut *self.inner.borrow_mut();
        if let Some(connection) = inner.get(key) {
            connection.is_blocked = false;
            // It has taken what was sent, so it is there.
            connection.hear(self.second());
            inner.mark(key.slot);
            inner.flush(&self.metrics, self.second());
        }
    }

    /// Writes what this turn has queued.
    pub(super) fn flush(&self) {
        self.inner.borrow_mut().flush(&self.metrics, self.second());
    }
}

impl Inner {
    pub(super) fn flush(&mut self, metrics: &Metrics, second: u32) {
        let mut written = 0;
        let mut dirty = std::mem::take(&mut self.dirty);
        for slot in dirty.drain(..) {
            // The place may be empty by now, or another connection's; flushing that does no harm.
            let Some(connection) = self.connections.get_mut(slot) else { continue };
            connection.is_dirty = false;
            if !connection.is_blocked && !connection.is_broken {
                written += connection.flush(&mut self.scratch, second);
            }
        }
        self.dirty = dirty;
        metrics.bytes_sent.inc_by(written);
    }
}

impl Connection {
    /// Writes until nothing waits or the socket takes no more. Returns the bytes written.
    fn flush(&mut self, scratch: &mut Vec<u8>, second: u32) -> u64 {
        let mut total = 0;
        while !self.outgoing.is_empty() {
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
        if self.closing.is_some() || self.held.is_some() {
            // Its task waits for the queue to be empty.
            self.notify();
        }
        total
    }

    fn write(&self, scratch: &mut Vec<u8>) -> io::Result<usize> {
        if self.outgoing.count() == 1 {
            return self.socket.try_write(self.outgoing.first());
        }
        self.outgoing.gather(scratch, GATHERED);
        self.socket.try_write(scratch)
    }
}
