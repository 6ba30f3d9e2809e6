//! Connections whose frames leave as the body of an HTTP response: what waits for one is taken by whoever
//! writes that, at the pace at which its client reads.

use std::{
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll},
};

use bytes::Bytes;

use super::{
    connection::{Connection, Key, Line},
    registry::Shard,
};
use crate::{limits::Permit, session::SessionInfo, websocket::CloseReason};

/// Up to about this many bytes are taken at a time.
const TAKEN: usize = 16 * 1024;

/// The reading end of a connection. Without it there is no client any more.
pub(crate) struct Reader {
    shard: Rc<Shard>,
    key: Key,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.shard.inner.borrow_mut().get(self.key) {
            connection.is_broken = true;
            connection.notify();
        }
    }
}

impl Shard {
    /// Takes in a connection without a socket of its own, as [`Shard::insert`] one with.
    pub(crate) fn insert_stream(self: &Rc<Self>, info: Rc<SessionInfo>, permit: Permit) -> (Key, Reader) {
        let key = self.insert_by(info, Line::Stream { permit, reader: None });
        (key, Reader { shard: self.clone(), key })
    }
}

impl Reader {
    /// Waits until there is something to be read, or the session is open.
    ///
    /// # Errors
    /// Why it was not opened. Nothing has been said then.
    pub(crate) async fn started(&self) -> Result<(), CloseReason> {
        poll_fn(|context| {
            let inner = &mut *self.shard.inner.borrow_mut();
            let Some(connection) = inner.get(self.key) else {
                return Poll::Ready(Err(CloseReason::UNAVAILABLE));
            };
            match &connection.closing {
                Some(reason) => Poll::Ready(Err(reason.clone())),
                None if connection.opening.is_none() || !connection.outgoing.is_empty() => {
                    Poll::Ready(Ok(()))
                }
                None => connection.wait_to_read(context),
            }
        })
        .await
    }

    /// What comes next. `None`: the connection has ended.
    pub(crate) fn poll_next(&self, context: &Context<'_>) -> Poll<Option<Bytes>> {
        let second = self.shard.second();
        let inner = &mut *self.shard.inner.borrow_mut();
        let Some(connection) = inner.connections.get_mut(self.key.slot) else { return Poll::Ready(None) };
        if connection.life != self.key.life || connection.is_broken {
            return Poll::Ready(None);
        }
        if connection.outgoing.is_empty() && !connection.make_up() {
            return match connection.closing {
                Some(_) => Poll::Ready(None),
                None => connection.wait_to_read(context),
            };
        }
        connection.outgoing.gather(&mut inner.scratch, TAKEN);
        connection.outgoing.advance(inner.scratch.len());
        connection.hear(second);
        // The rest is what the response has no room for.
        connection.blocked_since = second;
        if connection.outgoing.is_empty() {
            connection.is_blocked = false;
            connection.notify();
        }
        let bytes = inner.scratch.len() as u64;
        inner.tallies.wrote(connection, bytes);
        self.shard.metrics.bytes_sent.inc_by(bytes);
        Poll::Ready(Some(Bytes::copy_from_slice(&inner.scratch)))
    }
}

impl Connection {
    /// Has whoever reads come for what waits. False if its frames leave by a socket.
    pub(super) fn hand_over(&mut self, second: u32) -> bool {
        let Line::Stream { reader, .. } = &mut self.line else { return false };
        if let Some(reader) = reader.take() {
            reader.wake();
        }
        if !self.outgoing.is_empty() {
            self.is_blocked = true;
            self.blocked_since = second;
        }
        if self.closing.is_some() || self.opening.is_some() {
            self.notify();
        }
        true
    }

    /// Has whoever reads see that nothing comes any more.
    pub(super) fn end_reading(&mut self) {
        if let Line::Stream { reader, .. } = &mut self.line
            && let Some(reader) = reader.take()
        {
            reader.wake();
        }
    }

    fn wait_to_read<T>(&mut self, context: &Context<'_>) -> Poll<T> {
        if let Line::Stream { reader, .. } = &mut self.line {
            *reader = Some(context.waker().clone());
        }
        Poll::Pending
    }
}
