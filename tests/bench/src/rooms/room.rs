//! One room: every member hears every message once, and all of them in one order.

use anyhow::{Result, ensure};

use super::speech::Speech;

/// What was said in a room during one measurement.
#[derive(Debug, Default)]
pub(crate) struct Room {
    /// Speakers and their messages' numbers, in the order of whoever heard each first.
    order: Vec<(usize, u64)>,
}

impl Room {
    /// Somebody who has heard `heard` messages hears the next one, and `last` is what the first to hear it had
    /// heard of its speaker before. Returns whether nobody had heard it yet.
    ///
    /// # Errors
    /// A message that others heard at another place, or that is repeated, or before which one is missing.
    pub(crate) fn hear(&mut self, heard: usize, speech: Speech, last: &mut u64) -> Result<bool> {
        let Speech { speaker, number, .. } = speech;
        if let Some((first_speaker, first_number)) = self.order.get(heard) {
            ensure!(
                (*first_speaker, *first_number) == (speaker, number),
                "message {number} of {speaker} was heard where others heard {first_number} of {first_speaker}"
            );
            return Ok(false);
        }
        ensure!(
            number == *last + 1,
            "message {number} of {speaker} was heard after its message {last}: lost, repeated or out of order"
        );
        *last = number;
        self.order.push((speaker, number));
        Ok(true)
    }

    /// How many messages were heard.
    pub(crate) fn heard(&self) -> usize {
        self.order.len()
    }

    /// Forgets them: everybody has heard all.
    pub(crate) fn forget(&mut self) {
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speech(speaker: usize, number: u64) -> Speech {
        Speech { speaker, number, sent: 1 }
    }

    #[test]
    fn all_members_hear_one_order() {
        let (mut room, mut last) = (Room::default(), [0; 2]);
        assert!(room.hear(0, speech(0, 1), &mut last[0]).expect("the first message"));
        assert!(room.hear(1, speech(1, 1), &mut last[1]).expect("another speaker's"));
        assert!(!room.hear(0, speech(0, 1), &mut last[0]).expect("for the second member"));
        assert!(room.hear(1, speech(0, 2), &mut last[0]).is_err());
    }

    #[test]
    fn what_is_lost_or_repeated_is_an_error() {
        for numbers in [[1, 1], [1, 3], [2, 3]] {
            let (mut room, mut last) = (Room::default(), 0);
            let mut hear = |(place, number): (usize, &u64)| room.hear(place, speech(0, *number), &mut last);
            assert!(numbers.iter().enumerate().try_for_each(|heard| hear(heard).map(drop)).is_err());
        }
    }
}
