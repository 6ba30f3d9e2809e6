//! Compressed messages of clients (RFC 7692, section 7.2.2).

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::{CloseReason, deflate::TAIL};

/// An empty block that ends everything: it does so only where no block is under way, so it tells a message that is
/// whole from one that is cut short.
const END: [u8; 5] = [0x01, 0x00, 0x00, 0xFF, 0xFF];

/// Streams of which a message may consist. One is what everybody sends.
const MAX_STREAMS: usize = 64;

/// The first room for a message, if it may need that much, in bytes.
const FIRST_ROOM: usize = 512;

/// Inflates messages, each by itself. One is enough for a worker: it has no message that is not whole. Of its state, some
/// 45 KiB, nothing is there before it is needed.
#[derive(Default)]
pub(crate) struct Inflater(RefCell<Option<Box<Decompress>>>);

impl Inflater {
    /// The message whose compressed bytes these are. No more memory is taken up than for what it may have.
    ///
    /// # Errors
    /// It is longer than `limit` bytes, or not what a compressor makes.
    pub(super) fn inflate(&self, payload: &[u8], limit: usize) -> Result<Bytes, CloseReason> {
        let mut state = self.0.borrow_mut();
        let state = state.get_or_insert_with(|| Box::new(Decompress::new(false)));
        state.reset(false);
        let mut message = Inflation { state, output: Vec::new(), limit, streams: 0 };
        let has_ended = message.take(payload)?;
        // Who has ended the last stream with the last byte leaves nothing to be completed.
        if !has_ended && !message.take(&[&TAIL[..], &END].concat())? {
            return Err(CloseReason::INVALID_COMPRESSION);
        }
        let mut output = message.output;
        output.shrink_to_fit();
        Ok(output.into())
    }
}

/// A message that is being inflated.
struct Inflation<'a> {
    state: &'a mut Decompress,
    output: Vec<u8>,
    limit: usize,
    streams: usize,
}

impl Inflation<'_> {
    /// Takes all of these bytes in. Whether a stream ended with the last of them.
    fn take(&mut self, mut input: &[u8]) -> Result<bool, CloseReason> {
        let mut has_ended = false;
        while !input.is_empty() || self.output.len() == self.output.capacity() {
            self.make_room(input.len());
            let (taken, made) = (self.state.total_in(), self.output.len());
            let status = self.state.decompress_vec(input, &mut self.output, FlushDecompress::Sync);
            let status = status.map_err(|_| CloseReason::INVALID_COMPRESSION)?;
            if self.output.len() > self.limit {
                return Err(CloseReason::TOO_BIG);
            }
            let taken = usize::try_from(self.state.total_in() - taken).unwrap_or(0);
            input = &input[taken..];
            has_ended = status == Status::StreamEnd;
            if has_ended {
                self.next_stream()?;
            } else if taken == 0 && self.output.len() == made {
                // Nothing was left to be made of what is there.
                break;
            }
            if has_ended && input.is_empty() {
                break;
            }
        }
        if input.is_empty() { Ok(has_ended) } else { Err(CloseReason::INVALID_COMPRESSION) }
    }

    /// A block that says it is the last one may be followed by others (section 7.2.3.5).
    fn next_stream(&mut self) -> Result<(), CloseReason> {
        self.streams += 1;
        self.state.reset(false);
        if self.streams < MAX_STREAMS { Ok(()) } else { Err(CloseReason::INVALID_COMPRESSION) }
    }

    /// Room for what comes next: twice as much as there was, but never more than for one byte too many.
    fn make_room(&mut self, input: usize) {
        let length = self.output.len();
        if length == self.output.capacity() {
            let room = length.max(4 * input).max(FIRST_ROOM).min(self.limit + 1 - length);
            self.output.reserve_exact(room);
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, Compression, FlushCompress};
    use proptest::prelude::*;

    use super::*;

    fn inflate(payload: &[u8], limit: usize) -> Result<Vec<u8>, u16> {
        Inflater::default().inflate(payload, limit).map(|bytes| bytes.to_vec()).map_err(|reason| reason.code)
    }

    /// A message as a client compresses it.
    fn deflated(payload: &[u8], level: u32) -> Vec<u8> {
        let mut output = Vec::with_capacity(payload.len() * 2 + 100);
        let mut compress = Compress::new(Compression::new(level), false);
        compress.compress_vec(payload, &mut output, FlushCompress::Sync).expect("compressed");
        output.truncate(output.len() - TAIL.len());
        output
    }

    #[test]
    fn the_examples_of_the_specification_are_understood() {
        let cases: [(&[u8], &[u8]); 6] = [
            (b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello"),
            (b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", b"Hello"),
            (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", b"Hello"),
            (b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", b"Hello"),
            (b"\x00", b""),
            // What RFC 7692 completes with an octet, others leave as it is.
            (b"\xf3\x48\xcd\xc9\xc9\x07\x00", b"Hello"),
        ];
        for (payload, expected) in cases {
            assert_eq!(inflate(payload, 5).expect("a message"), expected, "{payload:x?}");
        }
    }

    #[test]
    fn a_message_is_inflated_up_to_the_bound_and_not_beyond() {
        for length in [0, 1, 511, 512, 513, 65_536] {
            let payload = vec![b'a'; length];
            for level in [0, 1, 9] {
                assert_eq!(
                    inflate(&deflated(&payload, level), length),
                    Ok(payload.clone()),
                    "{length}, {level}"
                );
                if let Some(less) = length.checked_sub(1) {
                    assert_eq!(inflate(&deflated(&payload, level), less), Err(1009), "{length}, {level}");
                }
            }
        }
        let bomb = deflated(&vec![0; 50_000_000], 9);
        assert!(bomb.len() < 60_000);
        let mut decompress = Decompress::new(false);
        let mut inflation =
            Inflation { state: &mut decompress, output: Vec::new(), limit: 1_000, streams: 0 };
        assert_eq!(inflation.take(&bomb).expect_err("too big").code, 1009);
        assert!(inflation.output.capacity() <= 1_001);
    }

    #[test]
    fn what_is_broken_is_refused_and_harms_nobody_after_it() {
        let whole = deflated("Hello, world! ".repeat(100).as_bytes(), 6);
        let inflater = Inflater::default();
        for cut in 1..whole.len() {
            let outcome = inflater.inflate(&whole[..cut], 5_000);
            assert!(outcome.is_err_and(|reason| reason.code == 1007), "{cut}");
        }
        for broken in [
            &b"\xFF"[..],
            b"\x07",
            b"\x00\x05\x00\x00\x00Hello",
            b"\x04\xff\xff\xff\xff\xff",
            b"\xf2\x48\xcd\xc9\xc9",
        ] {
            assert_eq!(inflater.inflate(broken, 5_000).expect_err("broken").code, 1007, "{broken:x?}");
            assert_eq!(inflater.inflate(&whole, 5_000).expect("a message").len(), 1_400);
        }
        // A message refers to none before it.
        assert_eq!(inflater.inflate(b"\xf2\x00\x11\x00\x00", 5_000).expect_err("broken").code, 1007);
        assert_eq!(inflater.inflate(&b"\x03\x00".repeat(10_000), 5_000).expect_err("too many").code, 1007);
    }

    #[test]
    fn what_can_not_be_made_smaller_comes_through() {
        for length in (8_000..80_000).step_by(7_919) {
            let payload: Vec<u8> = (0..length).map(|_| rand::random()).collect();
            assert_eq!(inflate(&deflated(&payload, 6), 2_000_000), Ok(payload));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_something_within_the_bound(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
            if let Ok(message) = inflate(&bytes, 200) {
                prop_assert!(message.len() <= 200);
            }
        }

        #[test]
        fn messages_come_through(payload in prop::collection::vec(0_u8..20, 0..5_000), level in 0_u32..=9) {
            prop_assert_eq!(inflate(&deflated(&payload, level), 5_000), Ok(payload));
        }
    }
}
