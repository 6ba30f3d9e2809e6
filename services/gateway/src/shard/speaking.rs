//! What is said to one connection, beside the events of its channels; and its last word.

use super::{
    connection::{Connection, Key, Line},
    registry::{Inner, Shard},
    replays::Piece,
};
use crate::websocket::{Cause, CloseReason, Frame};

impl Shard {
    /// Puts a frame into a connection's queue, bounded like an event, and compressed like one.
    pub(crate) fn send(&self, key: Key, frame: Frame) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return };
        let frame = self.compressor.for_one(frame, connection.info.compression);
        inner.push(key, frame, &self.bounds, &self.metrics);
        self.flush_now(inner, key);
    }

    /// The same for what is no message: a pong.
    pub(crate) fn send_control(&self, key: Key, frame: Frame) {
        let inner = &mut *self.inner.borrow_mut();
        inner.push_control(key, frame, &self.bounds, &self.metrics);
        self.flush_now(inner, key);
    }

    /// The same for what is sent when nothing else is left to write, so that it needs no bound: it takes none
    /// of the room for what comes while it is written.
    pub(crate) fn send_in_turn(&self, key: Key, frame: Frame) {
        let compression = self.inner.borrow_mut().get(key).and_then(|connection| connection.info.compression);
        self.announce_replay(key, self.compressor.for_one(frame, compression), 1);
        self.flush_now(&mut self.inner.borrow_mut(), key);
    }

    /// Sends part of a replay to a connection of which the rest waits until this is written: it needs no
    /// other bound.
    pub(crate) fn send_replay(&self, key: Key, piece: &Piece) {
        let Some(frames) = &piece.frame else { return };
        self.announce_replay(key, frames.clone(), piece.count);
        self.metrics.saved_bytes.inc_by(piece.saved);
        self.flush_now(&mut self.inner.borrow_mut(), key);
    }

    /// The same with what may wait until the next part of it is sent, or the session is open.
    pub(crate) fn announce_replay(&self, key: Key, frames: Frame, count: u64) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(slot) = inner.get(key).and_then(|connection| connection.outlet(key.slot)) else { return };
        let connection = &mut inner.connections[slot];
        if connection.is_served() {
            connection.enqueue_in_turn(frames, count);
            self.metrics.frames_sent.inc_by(count);
        }
    }

    /// Says something of the gateway's own, in text: not where frames are binary.
    pub(crate) fn tell(&self, key: Key, json: &[u8]) {
        if let Some(info) = self.info(key).filter(|info| !info.is_binary()) {
            self.send(key, info.word(json));
        }
    }

    /// Starts to close a connection: the client is told, then its task ends. The first reason counts.
    pub(crate) fn close(&self, key: Key, reason: CloseReason) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return };
        connection.close(reason);
        self.flush_now(inner, key);
    }

    /// Ends a subscription, but for one that ends with its connection.
    pub(crate) fn end_subscription(&self, key: Key, reason: CloseReason) {
        if self.state(key).is_some_and(|state| !state.is_closing && !state.is_broken) {
            self.close(key, reason);
        }
    }

    /// The client closes: it is answered with its own code.
    pub(crate) fn answer_close(&self, key: Key, code: Option<u16>) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return };
        connection.is_theirs = connection.closing.is_none();
        connection.close(CloseReason::fixed(Cause::Client, code.unwrap_or(CloseReason::NORMAL.code), ""));
        self.flush_now(inner, key);
    }

    pub(super) fn flush_now(&self, inner: &mut Inner, key: Key) {
        if let Some(carrier) = inner.carrier_of(key) {
            self.metrics.bytes_sent.inc_by(inner.flush_one(carrier.slot, self.second()));
        }
    }
}

impl Connection {
    /// What waits to be written goes first, unless that is the reason; then the close frame.
    pub(super) fn close(&mut self, reason: CloseReason) {
        if self.closing.is_some() {
            return;
        }
        if let Line::Socket { permit, .. } | Line::Stream { permit, .. } = &self.line {
            // Before its client knows, and can be back.
            if !self.is_theirs && reason.is_no_fault_of_the_client() {
                permit.excuse();
            }
            self.outgoing.push(self.info.close(&reason));
        }
        self.closing = Some(reason);
        self.notify();
    }
}
