//! What the task of a connection needs to know of it, and tells.

use std::{rc::Rc, task::Poll};

use super::{
    connection::{Acquaintance, Connection, Key, Line},
    registry::Shard,
};
use crate::{session::SessionInfo, socket::Socket, websocket::CloseReason};

/// A connection's state as its task sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    pub(crate) is_blocked: bool,
    pub(crate) is_broken: bool,
    pub(crate) is_closing: bool,
    /// Nothing waits to be written.
    pub(crate) is_written: bool,
}

impl Shard {
    /// What its task needs to know about a connection. `None` once it is gone.
    pub(crate) fn state(&self, key: Key) -> Option<State> {
        let mut inner = self.inner.borrow_mut();
        let is_closing = inner.get(key)?.closing.is_some();
        let carrier = inner.carrier(key)?;
        Some(State {
            is_blocked: carrier.is_blocked,
            is_broken: carrier.is_broken,
            is_closing: is_closing || carrier.closing.is_some(),
            is_written: carrier.outgoing.is_empty(),
        })
    }

    /// Why a connection is being closed, if it is.
    pub(crate) fn closing(&self, key: Key) -> Option<CloseReason> {
        self.inner.borrow_mut().get(key)?.closing.clone()
    }

    /// The socket by which the connection's frames leave.
    pub(crate) fn socket(&self, key: Key) -> Option<Rc<Socket>> {
        match &self.inner.borrow_mut().carrier(key)?.line {
            Line::Socket { socket, .. } => Some(socket.clone()),
            Line::Stream { .. } | Line::Carrier(_) => None,
        }
    }

    /// Waits until the connection's state has changed.
    pub(crate) async fn changed(&self, key: Key) {
        std::future::poll_fn(|context| {
            let mut inner = self.inner.borrow_mut();
            let Some(connection) = inner.get(key) else { return Poll::Ready(()) };
            if std::mem::take(&mut connection.is_notified) {
                return Poll::Ready(());
            }
            match &mut connection.waker {
                Some(waker) => waker.clone_from(context.waker()),
                none => *none = Some(context.waker().clone()),
            }
            Poll::Pending
        })
        .await;
    }

    /// A message of the client was understood as one.
    pub(crate) fn received(&self, key: Key) {
        let inner = &mut *self.inner.borrow_mut();
        if let Some(connection) = inner.connections.get_mut(key.slot).filter(|it| it.life == key.life) {
            connection.traffic.received = connection.traffic.received.saturating_add(1);
            inner.tallies.of(connection.entrance).received += 1;
        }
    }

    /// Something was heard from the client: so many bytes.
    pub(crate) fn heard(&self, key: Key, bytes: usize) {
        self.instruments.received(bytes);
        let second = self.second();
        let inner = &mut *self.inner.borrow_mut();
        if let Some(connection) = inner.connections.get_mut(key.slot).filter(|it| it.life == key.life) {
            connection.hear(second);
            inner.tallies.of(connection.entrance).bytes_received += bytes as u64;
        }
    }

    /// The hub delivers one more of the connection's channels.
    pub(crate) fn listening(&self, key: Key) {
        if let Some(connection) = self.inner.borrow_mut().get(key) {
            connection.listening += 1;
        }
    }

    /// The connection's owner is asked to open its session.
    pub(crate) fn asked(&self, key: Key) {
        self.acquaint(key, Acquaintance::Asked);
    }

    /// The connection's owner has accepted.
    pub(crate) fn accepted(&self, key: Key) {
        self.acquaint(key, Acquaintance::Accepted);
    }

    fn acquaint(&self, key: Key, acquaintance: Acquaintance) {
        if let Some(connection) = self.inner.borrow_mut().get(key) {
            connection.acquaintance = acquaintance;
        }
    }

    /// The connection as it is now: a refresh may have changed its identity.
    pub(crate) fn info(&self, key: Key) -> Option<Rc<SessionInfo>> {
        self.inner.borrow_mut().get(key).map(|connection| connection.info.clone())
    }

    /// A refreshed token's identity.
    pub(crate) fn set_info(&self, key: Key, info: Rc<SessionInfo>) {
        if let Some(connection) = self.inner.borrow_mut().get(key) {
            connection.info = info;
            connection.is_warned = false;
        }
    }
}

impl Connection {
    pub(super) fn hear(&mut self, second: u32) {
        self.heard = second;
        self.is_pinged = false;
    }
}
