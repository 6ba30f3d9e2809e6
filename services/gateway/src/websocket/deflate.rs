//! Compressed messages on their way out (RFC 7692, section 7.2.1).

use flate2::{Compress, Compression, FlushCompress};

use super::{
    Window,
    frame::{self, Frame},
};

/// What a flush ends with, and a message leaves out.
pub(super) const TAIL: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];

/// Room for compressed messages that is kept from one to the next, in bytes.
const KEPT: usize = 64 * 1024;

/// Compresses messages, each by itself. Its state, some 370 KiB for the window that nearly everyone has, and less for
/// smaller ones, is not there before it is needed.
#[derive(Default)]
pub(crate) struct Deflater {
    /// By the size of the window.
    states: [Option<Compress>; Window::COUNT],
    output: Vec<u8>,
}

impl Deflater {
    /// The same message, compressed. `None` if it isn't smaller then, or is none: a control frame.
    pub(crate) fn deflate(&mut self, frame: &Frame, window: Window) -> Option<Frame> {
        let (opcode, payload) = frame::message(frame)?;
        let compressed = self.compressed(payload, window).map(|bytes| frame::compressed(opcode, bytes));
        if self.output.capacity() > KEPT {
            self.output = Vec::new();
        }
        compressed
    }

    fn compressed(&mut self, payload: &[u8], window: Window) -> Option<&[u8]> {
        let state = &mut self.states[window.index()];
        let compress = state.get_or_insert_with(|| {
            Compress::new_with_window_bits(Compression::default(), false, window.bits())
        });
        compress.reset();
        self.output.clear();
        self.output.reserve(most(payload.len()));
        let outcome = compress.compress_vec(payload, &mut self.output, FlushCompress::Sync);
        if outcome.is_err() || self.output.len() == self.output.capacity() {
            // What it may hold back would be in the way of the next message.
            *state = None;
            return None;
        }
        self.output.strip_suffix(&TAIL).filter(|bytes| bytes.len() < payload.len())
    }
}

/// More than a message of so many bytes can become, whatever is in it.
fn most(length: usize) -> usize {
    length + length / 8 + 64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::websocket::{self, Inflater, binary, text};

    /// The window that a client asks for.
    fn window(bits: u8) -> Window {
        let offer = format!("permessage-deflate; server_max_window_bits={bits}");
        websocket::negotiate([offer.as_bytes()].into_iter()).expect("an offer").expect("a window")
    }

    fn inflated(frame: &Frame) -> Vec<u8> {
        let payload = &frame[frame::header_size(frame[1])..];
        Inflater::default().inflate(payload, 1 << 24).expect("a message").to_vec()
    }

    #[test]
    fn only_what_becomes_smaller_is_compressed() {
        let mut deflater = Deflater::default();
        let plain = text("{\"type\":\"message\"}".repeat(40).as_bytes());
        for window in (9..=15).map(window) {
            let small = deflater.deflate(&plain, window).expect("smaller");
            assert_eq!(small[0], 0xC1);
            assert!(small.len() < plain.len() / 4, "{}", small.len());
            assert!(deflater.deflate(&text(b"{}"), window).is_none());
            for length in (1..60).map(|number| number * 700) {
                let noise: Vec<u8> = (0..length).map(|_| rand::random()).collect();
                assert!(deflater.deflate(&binary(&noise), window).is_none(), "{length}");
            }
            assert!(deflater.deflate(&websocket::ping(), window).is_none());
            assert!(deflater.deflate(&websocket::pong(&[0; 125]), window).is_none());
            assert!(deflater.deflate(&small, window).is_none(), "it is compressed already");
        }
    }

    #[test]
    fn the_smaller_window_is_kept_to() {
        let repeated = |length: usize| {
            let block: Vec<u8> = (0..length).map(|_| rand::random()).collect();
            block.repeat(10_000 / length)
        };
        let deflated = |payload: &[u8], window| Deflater::default().deflate(&binary(payload), window);
        let (far, near) = (repeated(600), repeated(200));
        // What repeats after more bytes than the window holds stays what it was, but for a few bytes.
        assert!(deflated(&far, window(9)).is_none_or(|frame| frame.len() > 9_000));
        for (payload, bits) in [(far.clone(), 15), (far, 10), (near.clone(), 15), (near, 9)] {
            let frame = deflated(&payload, window(bits)).expect("smaller");
            assert!(frame.len() * 2 < payload.len(), "{}", frame.len());
            assert_eq!(inflated(&frame), payload);
        }
    }

    proptest! {
        /// One after the other, as a worker has them: none depends on those before it.
        #[test]
        fn what_was_compressed_is_the_same_again(
            payloads in prop::collection::vec((prop::collection::vec(0_u8..8, 0..3_000), 9_u8..=15), 1..6),
        ) {
            let mut deflater = Deflater::default();
            for (payload, bits) in payloads {
                if let Some(frame) = deflater.deflate(&binary(&payload), window(bits)) {
                    prop_assert!(frame.len() < binary(&payload).len());
                    prop_assert_eq!(inflated(&frame), payload);
                }
            }
        }
    }
}
