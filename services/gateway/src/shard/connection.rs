//! What a worker keeps of one connection.

use std::{rc::Rc, task::Waker, time::Duration};

use super::{opening::Opening, outgoing::Outgoing};
use crate::{
    limits::Permit, session::SessionInfo, socket::Socket, telemetry::Entrance, websocket::CloseReason,
};

/// Where a connection is in its worker's slab, and which of that place's connections it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) slot: usize,
    pub(super) life: u32,
}

/// What the endpoint's owner knows of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acquaintance {
    /// Nothing.
    None,
    /// It was asked to open the session.
    Asked,
    /// It accepted.
    Accepted,
}

/// A connection that was let go, as far as others have to be told.
pub(crate) struct Departure {
    /// The hub delivers for it the first so many of its channels.
    pub(crate) listening: usize,
    /// Its owner was asked to open its session, and may count it in.
    pub(crate) is_known: bool,
    /// Its owner has accepted it.
    pub(crate) is_counted: bool,
    /// Its client may be back in a moment.
    pub(crate) is_returning: bool,
}

/// How a connection's frames get to its client.
pub(super) enum Line {
    /// By its own socket. With that goes its place among the limits.
    Socket { socket: Rc<Socket>, permit: Permit },
    /// As the body of an HTTP response, by whoever writes that, who is to be woken if there is something.
    Stream { permit: Permit, reader: Option<Waker> },
    /// With the frames of that connection, of which it is a subscription.
    Carrier(Key),
}

/// One connection; or, of a connection that speaks `carillon.v1`, one subscription.
pub(crate) struct Connection {
    pub(super) life: u32,
    pub(super) info: Rc<SessionInfo>,
    pub(super) line: Line,
    pub(super) outgoing: Outgoing,
    /// Where it stands among the listeners of each of its channels.
    pub(super) places: Vec<Place>,
    pub(super) acquaintance: Acquaintance,
    /// While its owner opens the session; `None` once it is open.
    pub(super) opening: Option<Box<Opening>>,
    /// On the list of connections to flush.
    pub(super) is_dirty: bool,
    /// The socket takes no more for now.
    pub(super) is_blocked: bool,
    /// Writing failed: the client is gone.
    pub(super) is_broken: bool,
    /// Why it was given up, if its client is taken for dead: as metrics call it.
    pub(super) given_up: Option<&'static str>,
    /// It is being closed, for this reason.
    pub(super) closing: Option<CloseReason>,
    /// Frames that were dropped because it doesn't keep up, of which its client has yet to be told.
    pub(super) dropped: u32,
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
    /// Under what it is counted.
    pub(super) entrance: Entrance,
    pub(super) traffic: Traffic,
}

/// What has passed over a connection (S4-11).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    /// How long the worker had run when it began, in milliseconds.
    pub(super) began: u64,
    /// Messages of the client.
    pub(super) received: u32,
    /// Messages queued for it.
    pub(super) sent: u32,
    /// How many of those the worker has added to its own count.
    pub(super) tallied: u32,
}

/// A connection's place among the listeners of a channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) channel: usize,
    pub(super) position: usize,
}

impl Connection {
    pub(super) fn new(info: Rc<SessionInfo>, line: Line, life: u32, age: Duration) -> Self {
        // Of exactly that size: there are many of them, and they hardly ever change.
        let places = Vec::with_capacity(info.channels.len());
        let entrance = Entrance::of(&info);
        let began = milliseconds(age);
        Self {
            life,
            info,
            line,
            outgoing: Outgoing::default(),
            places,
            acquaintance: Acquaintance::None,
            opening: Some(Box::default()),
            is_dirty: false,
            is_blocked: false,
            is_broken: false,
            given_up: None,
            closing: None,
            dropped: 0,
            is_notified: false,
            waker: None,
            heard: seconds(age),
            is_pinged: false,
            blocked_since: 0,
            is_warned: false,
            look_at: None,
            is_theirs: false,
            listening: 0,
            entrance,
            traffic: Traffic { began, ..Traffic::default() },
        }
    }

    /// Whether its session is open, and it is more than a subscription.
    pub(super) fn is_open(&self) -> bool {
        self.opening.is_none() && !self.is_subscription()
    }

    /// Whether it has no socket of its own.
    pub(super) fn is_subscription(&self) -> bool {
        matches!(self.line, Line::Carrier(_))
    }

    /// What is to be told of it once it is gone.
    pub(super) fn departure(&self, is_returning: bool) -> Departure {
        Departure {
            listening: self.listening,
            is_known: self.acquaintance != Acquaintance::None,
            is_counted: self.acquaintance == Acquaintance::Accepted,
            is_returning,
        }
    }

    /// Whether its client may be back in a moment.
    pub(super) fn is_returning(&self) -> bool {
        may_return(self.closing.as_ref().map(|reason| reason.code), self.is_theirs)
    }

    /// Has its task look.
    pub(super) fn notify(&mut self) {
        self.is_notified = true;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Whole seconds.
pub(super) fn seconds(age: Duration) -> u32 {
    u32::try_from(age.as_secs()).unwrap_or(u32::MAX)
}

/// Whole milliseconds.
pub(super) fn milliseconds(age: Duration) -> u64 {
    u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a client whose connection was closed with this code may be back in a moment. Who says
/// goodbye, with 1000 or without a code, has left; so has whoever was refused.
fn may_return(code: Option<u16>, is_theirs: bool) -> bool {
    match code {
        None => true,
        Some(code) => code != CloseReason::NORMAL.code && (is_theirs || code < 3000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_vanishes_or_is_sent_elsewhere_may_return() {
        let returning = [None, Some(1001), Some(1002), Some(1012), Some(1013)];
        assert!(returning.iter().all(|code| may_return(*code, true) && may_return(*code, false)));
        assert!(may_return(Some(4001), true), "a code of the client's own");
        assert!(!may_return(Some(4001), false), "refused, revoked or dismissed");
        assert!(!may_return(Some(1000), true) && !may_return(Some(1000), false));
    }
}
