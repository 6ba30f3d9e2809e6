//! What waits to be written to one connection, bounded in bytes.

use std::collections::VecDeque;

use crate::websocket::Frame;

/// What a frame costs besides its bytes, so that many small ones are bounded too.
const OVERHEAD: usize = 48;

/// Shared frames in order, and how much of the next is written already.
#[derive(Default)]
pub(crate) struct Outgoing {
    /// Apart from the others, because mostly there are none.
    next: Option<Frame>,
    others: VecDeque<Frame>,
    bytes: usize,
    written: usize,
    /// Bytes above the bound for which there is room until everything is written.
    spare: usize,
}

impl Outgoing {
    pub(crate) fn push(&mut self, frame: Frame) {
        self.bytes += frame.len();
        match self.next {
            None => self.next = Some(frame),
            Some(_) => self.others.push_back(frame),
        }
    }

    /// Has so many bytes more have room until everything is written.
    pub(crate) fn make_room(&mut self, bytes: usize) {
        self.spare += bytes;
    }

    /// Whether these frames can wait as well within a bound in bytes. What is of any size can be alone.
    pub(crate) fn has_room_for<const N: usize>(&self, frames: [&Frame; N], limit: usize) -> bool {
        let held = self.bytes + (self.count() + N - 1) * OVERHEAD;
        self.is_empty() || held + frames.map(|frame| frame.len()).iter().sum::<usize>() <= limit + self.spare
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.next.is_none()
    }

    /// Bytes that wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn count(&self) -> usize {
        usize::from(self.next.is_some()) + self.others.len()
    }

    /// What is left of the only frame. `None` if there are more, or none.
    pub(crate) fn only(&self) -> Option<&[u8]> {
        self.next.as_ref().filter(|_| self.others.is_empty()).map(|frame| &frame[self.written..])
    }

    /// Copies what waits, up to about `limit` bytes, into `scratch`.
    pub(crate) fn gather(&self, scratch: &mut Vec<u8>, limit: usize) {
        scratch.clear();
        let mut skip = self.written;
        for frame in self.next.iter().chain(&self.others) {
            scratch.extend_from_slice(&frame[skip..]);
            skip = 0;
            if scratch.len() >= limit {
                break;
            }
        }
    }

    /// So many bytes are written.
    pub(crate) fn advance(&mut self, mut count: usize) {
        self.bytes -= count;
        while let Some(frame) = &self.next {
            let left = frame.len() - self.written;
            if count < left {
                self.written += count;
                return;
            }
            count -= left;
            self.written = 0;
            self.next = self.others.pop_front();
        }
        // An idle connection keeps no room: there are many of them, and a burst mostly comes as one frame.
        self.others = VecDeque::new();
        self.spare = 0;
    }

    /// Drops every frame that hasn't begun to be written, or to be encrypted, as so many bytes more have: what is cut
    /// short would break the protocol.
    pub(crate) fn clear_unbegun(&mut self, encrypted: usize) {
        let begun = self.written + encrypted;
        self.spare = 0;
        self.next.take_if(|_| begun == 0);
        let mut kept = self.next.as_ref().map_or(0, |frame| frame.len());
        let whole = self.others.iter().take_while(|frame| {
            let is_begun = kept < begun;
            kept += if is_begun { frame.len() } else { 0 };
            is_begun
        });
        let count = whole.count();
        self.others.truncate(count);
        self.bytes = kept - self.written;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_writes_go_on_where_they_stopped() {
        let mut outgoing = Outgoing::default();
        outgoing.push((*b"abc").into());
        outgoing.push((*b"defg").into());
        outgoing.advance(2);
        assert_eq!(outgoing.only(), None);
        let mut scratch = Vec::new();
        outgoing.gather(&mut scratch, 100);
        assert_eq!(scratch, b"cdefg");
        outgoing.clear_unbegun(0);
        assert_eq!((outgoing.only(), outgoing.bytes), (Some(&b"c"[..]), 1));
        outgoing.advance(1);
        assert!(outgoing.is_empty() && outgoing.bytes == 0);
    }

    #[test]
    fn what_is_encrypted_has_begun() {
        let waiting = |written: usize, encrypted: usize| {
            let mut outgoing = Outgoing::default();
            [&b"abc"[..], b"defg", b"hi"].into_iter().for_each(|frame| outgoing.push(frame.into()));
            outgoing.advance(written);
            outgoing.clear_unbegun(encrypted);
            let mut left = Vec::new();
            outgoing.gather(&mut left, 100);
            assert_eq!(left.len(), outgoing.bytes);
            String::from_utf8(left).expect("text")
        };
        assert_eq!((waiting(0, 0), waiting(1, 0), waiting(3, 0)), ("".into(), "bc".into(), "".into()));
        assert_eq!(
            (waiting(0, 1), waiting(0, 3), waiting(0, 4)),
            ("abc".into(), "abc".into(), "abcdefg".into())
        );
        assert_eq!(
            (waiting(1, 2), waiting(1, 3), waiting(1, 8)),
            ("bc".into(), "bcdefg".into(), "bcdefghi".into())
        );
        assert_eq!((waiting(3, 4), waiting(3, 5)), ("defg".into(), "defghi".into()));
    }

    #[test]
    fn what_is_sent_in_turn_takes_no_room_of_what_follows() {
        let (small, large): (Frame, Frame) = ((*b"ab").into(), vec![0; 5_000].into());
        let mut outgoing = Outgoing::default();
        outgoing.make_room(large.len());
        outgoing.push(large.clone());
        let mut count = 0;
        while outgoing.has_room_for([&small], 1_000) {
            outgoing.push(small.clone());
            count += 1;
        }
        assert_eq!(count, 20);
        outgoing.advance(outgoing.bytes);
        outgoing.push(large);
        assert!(!outgoing.has_room_for([&small], 1_000), "once only");
    }

    #[test]
    fn many_small_frames_have_a_bound_and_a_large_one_can_be_alone() {
        let small: Frame = (*b"ab").into();
        let mut outgoing = Outgoing::default();
        assert!(outgoing.has_room_for([&vec![0; 2_000].into()], 1_000));
        while outgoing.has_room_for([&small], 1_000) {
            outgoing.push(small.clone());
        }
        assert_eq!(outgoing.count(), 20);
    }
}
