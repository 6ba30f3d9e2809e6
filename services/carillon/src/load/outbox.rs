//! What one sender has to say, and what it has said without being acknowledged.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::message::Mark;

/// The most messages that one sender leaves unacknowledged: those that are due beyond wait, and their latency grows.
const MAX_UNACKNOWLEDGED: usize = 10_000;

/// When a sender speaks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// Never.
    Silent,
    /// So far apart.
    Every(Duration),
    /// Whenever fewer than that many are unacknowledged.
    Window(u64),
}

/// One sender's messages.
#[derive(Debug)]
pub(super) struct Outbox {
    sender: u32,
    pace: Pace,
    begun: Option<Instant>,
    sent: u64,
    unacknowledged: BTreeMap<u64, Mark>,
}

impl Outbox {
    pub(super) fn new(sender: u32, pace: Pace) -> Self {
        Self { sender, pace, begun: None, sent: 0, unacknowledged: BTreeMap::new() }
    }

    /// Sending begins at this time.
    pub(super) fn begin(&mut self, at: Instant) {
        self.begun = Some(at);
    }

    /// Nothing more is to be said.
    pub(super) fn end(&mut self) {
        self.pace = Pace::Silent;
    }

    /// The oldest that is unacknowledged.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.unacknowledged.keys().next().copied()
    }

    /// When the next message is due. `None` if an acknowledgement has to come first, or nothing is to be said.
    pub(super) fn due(&self) -> Option<Instant> {
        let begun = self.begun?;
        if self.unacknowledged.len() >= MAX_UNACKNOWLEDGED {
            return None;
        }
        match self.pace {
            Pace::Silent => None,
            Pace::Every(apart) => Some(begun + apart.mul_f64(self.place())),
            Pace::Window(window) => {
                ((self.unacknowledged.len() as u64) < window).then(|| begun.max(Instant::now()))
            }
        }
    }

    /// The next message. It counts as said.
    pub(super) fn next(&mut self) -> Option<Mark> {
        let (begun, due) = (self.begun?, self.due()?);
        self.sent += 1;
        let due = u64::try_from(due.duration_since(begun).as_micros()).unwrap_or(u64::MAX);
        let mark = Mark { sender: self.sender, number: self.sent, due };
        self.unacknowledged.insert(self.sent, mark);
        Some(mark)
    }

    /// The server has it, or does not want it. False if that was known.
    pub(super) fn settle(&mut self, number: u64) -> bool {
        self.unacknowledged.remove(&number).is_some()
    }

    /// What a new connection says again: whether it arrived, nobody knows.
    pub(super) fn again(&self) -> Vec<Mark> {
        self.unacknowledged.values().copied().collect()
    }

    /// Senders don't all speak in the same moment.
    #[expect(clippy::cast_precision_loss, reason = "fewer messages than that")]
    fn place(&self) -> f64 {
        self.sent as f64 + f64::from(self.sender % 16) / 16.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_due_by_the_clock_and_not_by_answers() {
        let begun = Instant::now();
        let mut outbox = Outbox::new(0, Pace::Every(Duration::from_millis(10)));
        assert_eq!(outbox.due(), None);
        outbox.begin(begun);
        let due: Vec<u64> = (0..3).filter_map(|_| outbox.next().map(|mark| mark.due)).collect();
        assert_eq!(due, [0, 10_000, 20_000]);
        assert!(outbox.settle(2) && !outbox.settle(2));
        let again: Vec<u64> = outbox.again().iter().map(|mark| mark.number).collect();
        assert_eq!(again, [1, 3]);
    }

    #[test]
    fn a_window_waits_for_acknowledgements() {
        let mut outbox = Outbox::new(0, Pace::Window(2));
        outbox.begin(Instant::now());
        assert!(outbox.next().is_some() && outbox.next().is_some());
        assert!(outbox.due().is_none());
        outbox.settle(1);
        assert!(outbox.due().is_some());
    }
}
