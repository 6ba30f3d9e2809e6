//! What a worker counts for each event and each turn: plainly, and added to everybody's metrics once a turn.

use std::{cell::Cell, sync::Arc};

use carillon_instruments::{IntGauge, LocalHistogram};

use super::registry::{Inner, Shard};
use crate::{clock, hub::ListenerId, metrics::Metrics};

/// How many connections are looked at in a second: as many as cost nothing that anybody could measure.
const LOOKS: usize = 8_192;

/// The counts of one worker. Nothing of it is per delivery.
pub(super) struct Instruments {
    metrics: Arc<Metrics>,
    /// Whether anything is counted. Not so only in a measurement of what counting costs.
    is_on: bool,
    frames_sent: Cell<u64>,
    bytes_sent: Cell<u64>,
    bytes_received: Cell<u64>,
    delays: LocalHistogram,
    queues: Cell<Queues>,
    queue_bytes: IntGauge,
    blocked: IntGauge,
}

/// What waits for connections, as far as they have been looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Queues {
    next: usize,
    bytes: usize,
    blocked: i64,
}

impl Instruments {
    pub(super) fn new(worker: ListenerId, is_on: bool, metrics: Arc<Metrics>) -> Self {
        let worker = worker.to_string();
        Self {
            is_on,
            frames_sent: Cell::new(0),
            bytes_sent: Cell::new(0),
            bytes_received: Cell::new(0),
            delays: metrics.delivery_duration.local(),
            queues: Cell::default(),
            queue_bytes: metrics.queue_bytes.with_label_values(&[&worker]),
            blocked: metrics.blocked_connections.with_label_values(&[&worker]),
            metrics,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on
    }

    /// So many frames are in queues.
    pub(super) fn sent(&self, frames: u64) {
        self.frames_sent.set(self.frames_sent.get() + frames);
    }

    /// So many bytes are written, and with them the events of these times.
    pub(super) fn written(&self, bytes: u64, events: &mut Vec<i64>) {
        self.bytes_sent.set(self.bytes_sent.get() + bytes);
        if events.is_empty() {
            return;
        }
        let now = clock::now();
        for at in events.drain(..) {
            self.delays.observe(now.saturating_sub(at).max(0) as f64 / 1e6);
        }
    }

    /// So many bytes are read.
    pub(super) fn received(&self, bytes: usize) {
        self.bytes_received.set(self.bytes_received.get() + bytes as u64);
    }

    /// Tells everybody.
    pub(super) fn fold(&self) {
        if !self.is_on {
            return;
        }
        for (counted, metric) in [
            (self.frames_sent.take(), &self.metrics.frames_sent),
            (self.bytes_sent.take(), &self.metrics.bytes_sent),
            (self.bytes_received.take(), &self.metrics.bytes_received),
        ] {
            if counted > 0 {
                metric.inc_by(counted);
            }
        }
        self.delays.flush();
    }

    /// Looks at what waits for some of the connections. When all have been looked at, their sum is told.
    fn look_at_queues(&self, inner: &Inner) {
        let mut queues = self.queues.take();
        let end = queues.next.saturating_add(LOOKS);
        for slot in queues.next..end.min(inner.connections.capacity()) {
            if let Some(connection) = inner.connections.get(slot) {
                queues.bytes += connection.outgoing.bytes();
                queues.blocked += i64::from(connection.is_blocked);
            }
        }
        queues.next = end;
        if end >= inner.connections.capacity() {
            self.queue_bytes.set(i64::try_from(queues.bytes).unwrap_or(i64::MAX));
            self.blocked.set(queues.blocked);
            queues = Queues::default();
        }
        self.queues.set(queues);
    }
}

impl Shard {
    /// What a second brings for the metrics, which came so much later than it was due, in seconds.
    pub(super) fn measure(&self, lateness: f64) {
        if self.instruments.is_on {
            self.metrics.worker_lag.observe(lateness);
            self.instruments.look_at_queues(&self.inner.borrow());
        }
    }
}
