//! Who waits to be written to: the connections of each channel in a line of their own, and the lines in turns, so that a
//! channel of many doesn't keep those of others waiting.

use std::{
    collections::{HashMap, VecDeque},
    mem,
};

/// The lines, and whose turn is next. A connection stands in one of them at most, whoever else writes to it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// By the place of the channel: one that is gone leaves its line behind until that has been served.
    lines: HashMap<usize, VecDeque<usize>>,
    order: VecDeque<usize>,
    /// The memory of a line that has ended, for the next one.
    spare: VecDeque<usize>,
}

impl Turns {
    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The line of a channel, to whose end connections are put.
    pub(super) fn line(&mut self, channel: usize) -> &mut VecDeque<usize> {
        let Self { lines, order, spare } = self;
        lines.entry(channel).or_insert_with(|| {
            order.push_back(channel);
            mem::take(spare)
        })
    }

    /// Takes the next `count` connections: as many as that of one line, if it has them, and of the next line
    /// the next time.
    pub(super) fn take(&mut self, count: usize, slots: &mut Vec<usize>) {
        while slots.len() < count
            && let Some(channel) = self.order.pop_front()
        {
            let Some(line) = self.lines.get_mut(&channel) else { continue };
            let fitting = line.len().min(count - slots.len());
            slots.extend(line.drain(..fitting));
            if line.is_empty() {
                self.spare = self.lines.remove(&channel).unwrap_or_default();
            } else {
                self.order.push_back(channel);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(turns: &mut Turns, count: usize) -> Vec<usize> {
        let mut slots = Vec::new();
        turns.take(count, &mut slots);
        slots
    }

    #[test]
    fn a_long_line_does_not_keep_a_short_one_waiting() {
        let mut turns = Turns::default();
        turns.line(7).extend(0..10);
        assert_eq!(take(&mut turns, 4), [0, 1, 2, 3]);
        turns.line(8).extend([20, 21]);
        turns.line(7).push_back(0);
        assert_eq!(take(&mut turns, 4), [4, 5, 6, 7]);
        assert_eq!(take(&mut turns, 4), [20, 21, 8, 9]);
        assert!(!turns.is_empty());
        assert_eq!(take(&mut turns, 4), [0]);
        assert!(turns.is_empty() && turns.lines.is_empty());
    }

    #[test]
    fn a_line_that_nobody_joined_ends() {
        let mut turns = Turns::default();
        turns.line(1);
        assert!(take(&mut turns, 4).is_empty() && turns.is_empty());
    }
}
