//! From events to the queues of the connections that listen to its channel.

use std::time::Instant;

use carillon_contract::{Channel, SlowConsumer};

use super::{
    burst::Burst,
    connection::{Connection, Key, Line},
    opening::{Consequence, Held},
    registry::{Bounds, Inner, Listener, Shard},
    turns::Waiting,
};
use crate::{
    clock,
    metrics::Metrics,
    session,
    websocket::{CloseReason, Frame},
};

impl Shard {
    /// Queues a burst for everyone on this worker who listens to its channel. It leaves when
    /// its connection's turn comes.
    pub(super) fn fan_out(&self, channel: &Channel, mut burst: Burst<'_>) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(&index) = inner.by_name.get(channel) else { return };
        let is_durable = burst.is_durable();
        let (mut sent, mut saved, line) = (0, 0, inner.turns.line(index));
        line.hear(burst.events().len(), Instant::now());
        for Listener { slot, format, after } in &inner.channels[index].listeners {
            let connection = &mut inner.connections[*slot];
            if burst.is_not_for(&connection.info) {
                continue;
            }
            let (is_whole, frames) = (burst.is_all_after(*after), burst.frames(*format, &self.compressor));
            if connection.opening.is_some() {
                for (offset, frame) in frames.after(*after) {
                    connection.hold(Held::frame(index, *offset, frame.clone()), &self.bounds);
                }
                connection.await_turn(*slot, line);
                continue;
            }
            let policy = || self.bounds.slow_consumer(connection.info.endpoint);
            let may_drop = !is_durable && policy() == SlowConsumer::Drop;
            let Some(slot) = connection.outlet(*slot) else { continue };
            let connection = &mut inner.connections[slot];
            if is_whole {
                for (piece, count) in &frames.joined {
                    connection.push(piece.clone(), *count, may_drop, &self.bounds, &self.metrics);
                    sent += count;
                }
                saved += frames.saved;
            } else {
                for (_, frame) in frames.after(*after) {
                    connection.push(frame.clone(), 1, may_drop, &self.bounds, &self.metrics);
                    sent += 1;
                }
            }
            connection.await_turn(slot, line);
        }
        if sent > 0 && self.instruments.is_on() {
            burst.events().iter().for_each(|event| line.mark(event.at));
            self.instruments.sent(sent);
        }
        if saved > 0 {
            self.metrics.saved_bytes.inc_by(saved);
        }
    }

    /// Tells everyone who listens to a channel that what they missed of it can't be had. Offsets
    /// may begin anew, so no greeting covers any of them. A client of binary frames has to come back,
    /// and synchronizes again then.
    pub(super) fn reset(&self, channel: &Channel) {
        let told = session::not_recovered(Some(channel.as_str()));
        let inner = &mut *self.inner.borrow_mut();
        let Some(&index) = inner.by_name.get(channel) else { return };
        let line = inner.turns.line(index);
        for listener in &mut inner.channels[index].listeners {
            listener.after = 0;
            let connection = &mut inner.connections[listener.slot];
            let slot = connection.outlet(listener.slot).unwrap_or(listener.slot);
            if connection.opening.is_some() {
                // Which log its greeting will speak of can't be told.
                connection.close(CloseReason::UNAVAILABLE);
            } else if connection.info.is_binary() {
                connection.close(CloseReason::OUT_OF_STEP);
            } else {
                // What was missed may have been its dismissal: its owner has to look at it again.
                let is_over = connection.info.endpoint.presence;
                let frame = connection.info.word(&told);
                inner.connections[slot].push(frame, 1, false, &self.bounds, &self.metrics);
                if is_over {
                    inner.connections[listener.slot].close(CloseReason::OUT_OF_STEP);
                }
            }
            inner.connections[slot].await_turn(slot, line);
        }
    }

    /// The owner has accepted: what the greeting covers of each channel will not be repeated.
    pub(crate) fn covered(&self, key: Key, channel: &Channel, offset: u64) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(&index) = inner.by_name.get(channel) else { return };
        let Some(connection) = inner.get(key) else { return };
        let Some(place) = connection.places.iter().find(|place| place.channel == index).copied() else {
            return;
        };
        inner.channels[index].listeners[place.position].after = offset;
    }

    /// The session is open, with everything said that goes before live events: those that were
    /// held follow, but for those that the greeting covers.
    pub(crate) fn release(&self, key: Key) {
        let inner = &mut *self.inner.borrow_mut();
        let Some(connection) = inner.get(key) else { return };
        if connection.opening.is_some() && !connection.is_subscription() {
            let entrance = connection.entrance;
            inner.tallies.of(entrance).opened_at(clock::now());
        }
        let Some(connection) = inner.get(key) else { return };
        let opening = connection.opening.take().unwrap_or_default();
        let places = connection.places.clone();
        for event in opening.held {
            let place = places.iter().find(|place| place.channel == event.channel);
            let after =
                place.map_or(0, |place| inner.channels[place.channel].listeners[place.position].after);
            if event.offset != 0 && event.offset <= after {
                continue;
            }
            match event.consequence {
                Consequence::Frame(frame) => {
                    inner.push(key, frame, &self.bounds, &self.metrics);
                }
                Consequence::Dismissal(reason) => inner.close(key, reason),
            }
        }
        self.flush_now(inner, key);
    }
}

impl Inner {
    fn close(&mut self, key: Key, reason: CloseReason) {
        if let Some(connection) = self.get(key) {
            connection.close(reason);
        }
    }

    pub(super) fn push(&mut self, key: Key, frame: Frame, bounds: &Bounds, metrics: &Metrics) {
        self.push_counted(key, frame, 1, bounds, metrics);
    }

    /// The same with what is no message: a ping or a pong.
    pub(super) fn push_control(&mut self, key: Key, frame: Frame, bounds: &Bounds, metrics: &Metrics) {
        self.push_counted(key, frame, 0, bounds, metrics);
    }

    fn push_counted(&mut self, key: Key, frame: Frame, messages: u64, bounds: &Bounds, metrics: &Metrics) {
        let Some(slot) = self.get(key).and_then(|connection| connection.outlet(key.slot)) else { return };
        self.connections[slot].push(frame, messages, false, bounds, metrics);
        metrics.frames_sent.inc();
    }
}

impl Connection {
    /// Where the connection is whose queue this one's frames go into; this one is in `slot`. A subscription that
    /// is over has none.
    pub(super) fn outlet(&self, slot: usize) -> Option<usize> {
        match self.line {
            Line::Socket { .. } | Line::Stream { .. } => Some(slot),
            Line::Carrier(carrier) => self.closing.is_none().then_some(carrier.slot),
        }
    }

    /// Has what waits be written when this connection's turn comes; a close that holding too much
    /// has caused waits as well.
    pub(super) fn await_turn(&mut self, slot: usize, line: &mut Waiting) {
        if !self.outgoing.is_empty() && !std::mem::replace(&mut self.is_dirty, true) {
            line.push(slot);
        }
    }

    pub(super) fn hold(&mut self, held: Held, bounds: &Bounds) {
        let Some(opening) = &mut self.opening else { return };
        if !opening.hold(held, bounds.queue_bytes) {
            self.close(CloseReason::UNAVAILABLE);
        }
    }
}
