//! Messages in flight: published, but not yet received by everybody.

use std::{collections::VecDeque, ops::Range};

use anyhow::{Context, Result};

/// The publisher's window. A message leaves it when the last connection has it.
#[derive(Debug)]
pub(crate) struct Window {
    audience: usize,
    /// The number of the next message.
    next: u64,
    /// For each message in flight, oldest first, how many connections still lack it.
    lacking: VecDeque<usize>,
}

impl Window {
    pub(crate) fn new(audience: usize) -> Self {
        Self { audience, next: 1, lacking: VecDeque::new() }
    }

    /// How many messages are in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.lacking.len()
    }

    /// The numbers of the messages to publish now, so that `depth` are in flight.
    pub(crate) fn fill(&mut self, depth: usize) -> Range<u64> {
        let first = self.next;
        while self.lacking.len() < depth {
            self.lacking.push_back(self.audience);
            self.next += 1;
        }
        first..self.next
    }

    /// One connection has received message `sequence`.
    ///
    /// # Errors
    /// A message that is not in flight, or that one connection too many has received.
    pub(crate) fn received(&mut self, sequence: u64) -> Result<()> {
        let first = self.next - self.lacking.len() as u64;
        let place = sequence.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        let lacking = place.and_then(|place| self.lacking.get_mut(place)).filter(|lacking| **lacking > 0);
        *lacking.with_context(|| format!("nobody was to receive message {sequence} any more"))? -= 1;
        while self.lacking.front() == Some(&0) {
            self.lacking.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_message_is_due_when_everybody_has_the_oldest() {
        let mut window = Window::new(2);
        assert_eq!(window.fill(2), 1..3);
        assert_eq!(window.fill(2), 3..3);
        window.received(1).expect("in flight");
        window.received(2).expect("in flight");
        assert_eq!(window.fill(2), 3..3);
        window.received(1).expect("in flight");
        assert_eq!(window.fill(2), 3..4);
    }

    #[test]
    fn what_is_not_in_flight_cannot_be_received() {
        let mut window = Window::new(1);
        assert!(window.received(0).is_err());
        assert!(window.received(1).is_err());
        window.fill(1);
        window.received(1).expect("in flight");
        assert!(window.received(1).is_err());
        assert_eq!(window.in_flight(), 0);
    }
}
