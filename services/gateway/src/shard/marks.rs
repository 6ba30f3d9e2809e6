//! Which events have been written to everybody, told by how far a line has moved since each came.

use std::collections::VecDeque;

/// Events on their way to those who stand in a line.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Apart from the others, because mostly there are none.
    next: Option<Mark>,
    others: VecDeque<Mark>,
    /// How far the last of them is from the line's head.
    last: usize,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    /// Who stands before it, but not before the mark in front of it.
    before: usize,
    /// When the event was appended, in microseconds since 1970.
    at: i64,
}

impl Marks {
    /// So many stand in the line, all of whom get the event of this time.
    pub(super) fn add(&mut self, standing: usize, at: i64) {
        let mark = Mark { before: standing.saturating_sub(self.last), at };
        self.last = self.last.max(standing);
        match self.next {
            None => self.next = Some(mark),
            Some(_) => self.others.push_back(mark),
        }
    }

    /// The first so many have had their turn: `through` gets the times of events that nobody waits for any more.
    pub(super) fn advance(&mut self, mut served: usize, through: &mut Vec<i64>) {
        self.last = self.last.saturating_sub(served);
        while let Some(mark) = &mut self.next {
            if mark.before > served {
                mark.before -= served;
                return;
            }
            served -= mark.before;
            through.push(mark.at);
            self.next = self.others.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_through_with_the_last_who_gets_it() {
        let (mut marks, mut through) = (Marks::default(), Vec::new());
        marks.add(3, 11);
        marks.add(5, 12);
        marks.add(5, 13);
        marks.advance(2, &mut through);
        assert!(through.is_empty());
        marks.advance(2, &mut through);
        assert_eq!(through, [11]);
        marks.add(2, 14);
        marks.advance(1, &mut through);
        assert_eq!(through, [11, 12, 13]);
        marks.advance(1, &mut through);
        marks.add(0, 15);
        marks.advance(0, &mut through);
        assert_eq!(through, [11, 12, 13, 14, 15]);
    }
}
