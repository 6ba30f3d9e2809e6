//! A message that arrives in parts, put together as they come.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    CloseReason,
    header::{Header, unmask},
};

/// How far a message has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The rest of a frame has yet to be read.
    Waiting,
    /// A frame is whole; another one follows.
    Continued,
    /// The message is whole.
    Whole,
}

/// Its payload is there already; a text so far is one that can become UTF-8.
pub(super) struct Message {
    pub(super) is_binary: bool,
    /// What it says is known once it is whole.
    pub(super) is_compressed: bool,
    payload: Vec<u8>,
    /// Bytes of a text that are known to be whole characters.
    checked: usize,
    frame: Option<Frame>,
}

/// The frame that is being received.
struct Frame {
    mask: [u8; 4],
    /// Bytes of it that are here, and that are not.
    received: usize,
    left: usize,
    is_last: bool,
}

impl Message {
    pub(super) fn new(is_binary: bool, is_compressed: bool) -> Self {
        Self { is_binary, is_compressed, payload: Vec::new(), checked: 0, frame: None }
    }

    /// Bytes of it that are here.
    pub(super) fn len(&self) -> usize {
        self.payload.len()
    }

    /// Whether what comes next belongs to a frame of this message.
    pub(super) fn is_in_frame(&self) -> bool {
        self.frame.is_some()
    }

    pub(super) fn begin(&mut self, header: &Header) {
        let Header { mask, length, is_last, .. } = *header;
        self.frame = Some(Frame { mask, received: 0, left: length, is_last });
    }

    /// Takes in what is there of the frame that has begun.
    ///
    /// # Errors
    /// What can't become UTF-8 any more.
    pub(super) fn receive(&mut self, bytes: &mut BytesMut) -> Result<Progress, CloseReason> {
        let Some(frame) = &mut self.frame else { return Ok(Progress::Continued) };
        let (count, start) = (frame.left.min(bytes.len()), self.payload.len());
        make_room(&mut self.payload, count, frame.left);
        self.payload.extend_from_slice(&bytes[..count]);
        bytes.advance(count);
        unmask(&mut self.payload[start..], frame.mask, frame.received);
        frame.received += count;
        frame.left -= count;
        let progress = match frame {
            Frame { left: 1.., .. } => Progress::Waiting,
            Frame { is_last: true, .. } => Progress::Whole,
            _ => Progress::Continued,
        };
        if progress != Progress::Waiting {
            self.frame = None;
        }
        if !self.is_binary && !self.is_compressed {
            self.check(progress == Progress::Whole)?;
        }
        Ok(progress)
    }

    pub(super) fn into_payload(self) -> Bytes {
        self.payload.into()
    }

    fn check(&mut self, is_whole: bool) -> Result<(), CloseReason> {
        match std::str::from_utf8(&self.payload[self.checked..]) {
            Ok(text) => self.checked += text.len(),
            // A character may be cut by the end of what is here.
            Err(error) if error.error_len().is_none() && !is_whole => self.checked += error.valid_up_to(),
            Err(_) => return Err(CloseReason::INVALID_UTF8),
        }
        Ok(())
    }

    /// Bytes of memory that it takes up.
    pub(super) fn capacity(&self) -> usize {
        self.payload.capacity()
    }
}

/// Doubles the room where that is needed, but not beyond the end of the frame: a client that announces
/// much and sends little costs little.
fn make_room(payload: &mut Vec<u8>, count: usize, left: usize) {
    if payload.capacity() - payload.len() < count {
        let room = payload.len().max(count).min(left);
        payload.reserve_exact(room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::websocket::header::Opcode;

    fn header(length: usize, is_last: bool) -> Header {
        Header { is_last, is_compressed: false, opcode: Opcode::Text, length, mask: [0; 4], size: 6 }
    }

    #[test]
    fn what_can_not_become_utf8_is_refused_at_its_first_wrong_byte() {
        let mut text = Message::new(false, false);
        text.begin(&header(10, false));
        // U+110000 would begin like this; 0x8F in place of 0x90 would be a character.
        assert_eq!(text.receive(&mut "κ".into()), Ok(Progress::Waiting));
        assert_eq!(text.receive(&mut b"\xF4"[..].into()), Ok(Progress::Waiting));
        assert_eq!(text.receive(&mut b"\x90"[..].into()), Err(CloseReason::INVALID_UTF8));
        let mut cut = Message::new(false, false);
        cut.begin(&header(1, true));
        assert_eq!(cut.receive(&mut b"\xF4"[..].into()), Err(CloseReason::INVALID_UTF8));
    }

    #[test]
    fn memory_is_taken_up_for_what_has_come() {
        let mut message = Message::new(true, false);
        message.begin(&header(1_000_000, true));
        assert_eq!(message.receive(&mut b"x"[..].into()), Ok(Progress::Waiting));
        assert!(message.capacity() < 100);
        let mut largest = 0;
        for _ in 0..9_999 {
            assert_eq!(message.receive(&mut [0; 100][..].into()), Ok(Progress::Waiting));
            largest = largest.max(message.capacity());
        }
        assert_eq!(message.receive(&mut [0; 1_000][..].into()), Ok(Progress::Whole));
        assert_eq!((message.len(), largest <= 1_000_000), (1_000_000, true));
    }
}
