//! Clients that don't keep up: what waits for one is bounded, and its endpoint's policy applies above that.

use super::{
    connection::{Connection, Line},
    registry::Bounds,
};
use crate::{
    metrics::Metrics,
    session,
    websocket::{Cause, CloseReason, Frame},
};

impl Connection {
    /// Queues a frame, or so many in one piece, within the bound. Above it the connection is closed, unless
    /// its policy allows to do without them: then they are dropped.
    pub(super) fn push(
        &mut self,
        frame: Frame,
        count: u64,
        may_drop: bool,
        bounds: &Bounds,
        metrics: &Metrics,
    ) {
        if !self.is_served() {
            return;
        }
        let limit = bounds.queue_bytes;
        if let Some(notice) =
            self.notice().filter(|notice| self.outgoing.has_room_for([notice, &frame], limit))
        {
            self.tell_dropped(notice);
        }
        // What comes after a gap comes after the word of it.
        let may_follow = self.dropped == 0 || !may_drop;
        if may_follow && self.outgoing.has_room_for([&frame], limit) {
            self.enqueue(frame, count);
        } else if may_drop {
            self.drop_frames(count, metrics);
        } else {
            self.close_as_slow(metrics);
        }
    }

    /// Says how much was dropped, now that nothing else waits. True if there was something to say.
    pub(super) fn make_up(&mut self) -> bool {
        let notice = self.notice().filter(|_| self.is_served());
        notice.map(|notice| self.tell_dropped(notice)).is_some()
    }

    /// Whether anything that is queued still goes out.
    pub(super) fn is_served(&self) -> bool {
        self.closing.is_none() && !self.is_broken
    }

    /// Queues a frame, or so many in one piece, for which there is room.
    pub(super) fn enqueue(&mut self, frame: Frame, count: u64) {
        self.traffic.sent = self.traffic.sent.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
        self.outgoing.push(frame);
    }

    /// The same for a frame that takes no room of those that follow.
    pub(super) fn enqueue_in_turn(&mut self, frame: Frame, count: u64) {
        self.outgoing.make_room(frame.len());
        self.enqueue(frame, count);
    }

    /// What a client of text is to be told. One of binary frames hears nothing of ours: what it missed is for
    /// its own protocol to make good.
    fn notice(&self) -> Option<Frame> {
        let is_due = self.dropped > 0 && !self.info.is_binary();
        is_due.then(|| self.info.word(&session::dropped(self.dropped)))
    }

    fn tell_dropped(&mut self, notice: Frame) {
        self.dropped = 0;
        self.enqueue(notice, 1);
    }

    fn drop_frames(&mut self, count: u64, metrics: &Metrics) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let endpoint = self.info.endpoint.name;
        metrics.dropped_events.with_label_values(&[endpoint]).inc_by(count.into());
        if self.dropped == 0 {
            metrics.slow_consumers.with_label_values(&["drop"]).inc();
        }
        // Nobody waits for a word that is never said.
        if !self.info.is_binary() {
            self.dropped = self.dropped.saturating_add(count);
        }
    }

    fn close_as_slow(&mut self, metrics: &Metrics) {
        metrics.slow_consumers.with_label_values(&["close"]).inc();
        // What it could not take will not be read either; its `since` gets it all again.
        let encrypted = if let Line::Socket { socket, .. } = &self.line { socket.begun() } else { 0 };
        self.outgoing.clear_unbegun(encrypted);
        self.close(CloseReason::fixed(Cause::Slow, 1013, "slow consumer: reconnect with since"));
    }
}
