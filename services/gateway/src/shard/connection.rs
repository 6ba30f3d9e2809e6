//! What a worker keeps of one connection.

use std::{rc::Rc, task::Waker};

use tokio::net::TcpStream;

use super::outgoing::Outgoing;
use crate::{
    session::SessionInfo,
    websocket::{CloseReason, Frame},
};

/// Where a connection is in its worker's slab, and which of that place's connections it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) slot: usize,
    pub(super) life: u32,
}

/// One connection.
pub(crate) struct Connection {
    pub(super) life: u32,
    pub(super) info: Rc<SessionInfo>,
    pub(super) socket: Rc<TcpStream>,
    pub(super) outgoing: Outgoing,
    /// Where it stands among the listeners of each of its channels.
    pub(super) places: Vec<Place>,
    /// Events that arrived while the owner was opening the session; `None` once it is open.
    pub(super) held: Option<Vec<Held>>,
    pub(super) held_bytes: usize,
    /// On the list of connections to flush.
    pub(super) is_dirty: bool,
    /// The socket takes no more for now.
    pub(super) is_blocked: bool,
    /// Writing failed: the client is gone.
    pub(super) is_broken: bool,
    /// It is being closed, for this reason.
    pub(super) closing: Option<CloseReason>,
    /// Its task has something to look at.
    pub(super) is_notified: bool,
    pub(super) waker: Option<Waker>,
    /// The second in which something was last heard from the client.
    pub(super) heard: u32,
    /// It was pinged, and nothing has been heard since.
    pub(super) is_pinged: bool,
    /// The second since which the socket has been blocked.
    pub(super) blocked_since: u32,
    /// Its token is about to expire, and the client was told.
    pub(super) is_warned: bool,
    /// The second for which a look at its token is scheduled, if one was.
    pub(super) look_at: Option<u32>,
    /// The client closes, not we.
    pub(super) is_theirs: bool,
    /// How many of its channels the hub delivers for it.
    pub(super) listening: usize,
}

/// A connection's place among the listeners of a channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) channel: usize,
    pub(super) position: usize,
}

/// An event that waits until the session is open.
pub(super) struct Held {
    pub(super) channel: usize,
    pub(super) offset: u64,
    pub(super) frame: Frame,
}

impl Connection {
    pub(super) fn new(info: Rc<SessionInfo>, socket: Rc<TcpStream>, life: u32, second: u32) -> Self {
        Self {
            life,
            info,
            socket,
            outgoing: Outgoing::default(),
            places: Vec::new(),
            held: Some(Vec::new()),
            held_bytes: 0,
            is_dirty: false,
            is_blocked: false,
            is_broken: false,
            closing: None,
            is_notified: false,
            waker: None,
            heard: second,
            is_pinged: false,
            blocked_since: 0,
            is_warned: false,
            look_at: None,
            is_theirs: false,
            listening: 0,
        }
    }

    /// Has its task look.
    pub(super) fn notify(&mut self) {
        self.is_notified = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
