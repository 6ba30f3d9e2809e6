//! What a frame of a client says of itself before its payload (RFC 6455, section 5.2).

use super::CloseReason;

/// The longest payload of a control frame (section 5.5).
const MAX_CONTROL: u64 = 125;

/// The first reserved bit.
const COMPRESSED: u8 = 0x40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// Where in the stream a frame stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// After the first fragment of a message, and before its last one.
    pub(super) is_within_message: bool,
    /// Bytes that its message may still have.
    pub(super) room: usize,
    /// The same if it begins a compressed one; `None`: there are none.
    pub(super) compressed_room: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// The message ends with this frame.
    pub(super) is_last: bool,
    /// The message that it begins is compressed.
    pub(super) is_compressed: bool,
    pub(super) opcode: Opcode,
    /// Bytes of payload.
    pub(super) length: usize,
    pub(super) mask: [u8; 4],
    /// Bytes of the header itself.
    pub(super) size: usize,
}

impl Header {
    /// The header at the front of these bytes, once it is there whole.
    ///
    /// # Errors
    /// Why it is refused: as soon as the byte is there that breaks the protocol or announces too much.
    pub(super) fn parse(bytes: &[u8], place: Place) -> Result<Option<Self>, CloseReason> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let is_last = first & 0x80 != 0;
        let opcode = opcode(first, is_last, place.is_within_message)?;
        let is_compressed = first & COMPRESSED != 0;
        let room = room(opcode, is_compressed, place)?;
        let Some(&second) = bytes.get(1) else { return Ok(None) };
        if second & 0x80 == 0 {
            return Err(CloseReason::PROTOCOL_ERROR);
        }
        let Some((length, before_mask)) = length(second & 0x7F, &bytes[2..]) else { return Ok(None) };
        let length = checked(length, opcode, room)?;
        let mask = bytes.get(before_mask..).and_then(|rest| rest.first_chunk::<4>());
        Ok(mask.map(|&mask| Self {
            is_last,
            is_compressed,
            opcode,
            length,
            mask,
            size: before_mask + mask.len(),
        }))
    }
}

impl Opcode {
    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The opcode of a frame that begins with this byte, if one of its kind may stand here.
fn opcode(first: u8, is_last: bool, is_within_message: bool) -> Result<Opcode, CloseReason> {
    let opcode = match first & 0x7F & !COMPRESSED {
        0x0 => Opcode::Continuation,
        0x1 => Opcode::Text,
        0x2 => Opcode::Binary,
        0x8 => Opcode::Close,
        0x9 => Opcode::Ping,
        0xA => Opcode::Pong,
        // Reserved, or with a reserved bit to which no extension gives a meaning.
        _ => return Err(CloseReason::PROTOCOL_ERROR),
    };
    let may_stand_here = match opcode {
        Opcode::Continuation => is_within_message,
        Opcode::Text | Opcode::Binary => !is_within_message,
        Opcode::Close | Opcode::Ping | Opcode::Pong => is_last,
    };
    if may_stand_here { Ok(opcode) } else { Err(CloseReason::PROTOCOL_ERROR) }
}

/// Bytes that the frame may have. Only the first frame of a message can say that it is compressed (RFC 7692, section 6.1).
fn room(opcode: Opcode, is_compressed: bool, place: Place) -> Result<usize, CloseReason> {
    match opcode {
        _ if !is_compressed => Ok(place.room),
        Opcode::Text | Opcode::Binary => place.compressed_room.ok_or(CloseReason::PROTOCOL_ERROR),
        _ => Err(CloseReason::PROTOCOL_ERROR),
    }
}

/// The payload's length and where the mask begins, from the seven bits of the second byte and what follows it.
fn length(short: u8, rest: &[u8]) -> Option<(u64, usize)> {
    match short {
        126 => rest.first_chunk().map(|bytes| (u16::from_be_bytes(*bytes).into(), 4)),
        127 => rest.first_chunk().map(|bytes| (u64::from_be_bytes(*bytes), 10)),
        length => Some((length.into(), 2)),
    }
}

fn checked(length: u64, opcode: Opcode, room: usize) -> Result<usize, CloseReason> {
    // The most significant bit must be 0.
    if length >> 63 != 0 || (opcode.is_control() && length > MAX_CONTROL) {
        return Err(CloseReason::PROTOCOL_ERROR);
    }
    match usize::try_from(length) {
        Ok(length) if opcode.is_control() || length <= room => Ok(length),
        _ => Err(CloseReason::TOO_BIG),
    }
}

/// Takes the mask off a payload, or off the part of one that begins at this position of it (section 5.3).
pub(super) fn unmask(payload: &mut [u8], mut mask: [u8; 4], position: usize) {
    mask.rotate_left(position % 4);
    let word = u32::from_ne_bytes(mask);
    let (words, rest) = payload.as_chunks_mut::<4>();
    for bytes in words {
        *bytes = (u32::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Place = Place { is_within_message: false, room: 1_000, compressed_room: None };
    const WITHIN: Place = Place { is_within_message: true, room: 10, compressed_room: None };

    fn code(bytes: &[u8], place: Place) -> Option<u16> {
        Header::parse(bytes, place).err().map(|reason| reason.code)
    }

    #[test]
    fn a_header_is_refused_by_the_first_byte_that_is_wrong() {
        for first in [0xC1, 0xA1, 0x91, 0x83, 0x87, 0x8B, 0x8F, 0x80, 0x00, 0x09, 0x08, 0x0A] {
            assert_eq!(code(&[first], START), Some(1002), "{first:x}");
        }
        for first in [0x81, 0x01, 0x82, 0x02] {
            assert_eq!((code(&[first], START), code(&[first], WITHIN)), (None, Some(1002)), "{first:x}");
        }
        assert_eq!(code(&[0x81, 0x01], START), Some(1002), "not masked");
        assert_eq!(code(&[0x89, 0xFE], START), None, "it may be a short one, written long");
        assert_eq!(code(&[0x89, 0xFE, 0, 126], START), Some(1002), "a long control frame");
        assert_eq!(code(&[0x81, 0xFE, 0x03, 0xE8], START), None);
        assert_eq!(code(&[0x81, 0xFE, 0x03, 0xE9], START), Some(1009));
        assert_eq!(code(&[0x80, 0x8B], WITHIN), Some(1009), "the message would be too long");
        assert_eq!(code(&[0x89, 0x8B], WITHIN), None, "a ping is no part of it");
        assert_eq!(code(&[0x81, 0xFF, 0x7F, 0, 0, 0, 0, 0, 0, 0], START), Some(1009));
        assert_eq!(code(&[0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0], START), Some(1002));
    }

    #[test]
    fn only_the_first_frame_of_a_message_can_be_compressed_and_only_where_that_was_agreed_on() {
        let agreed = |place| Place { compressed_room: Some(1_200), ..place };
        for first in [0xC1, 0x41, 0xC2, 0x42] {
            assert_eq!(
                (code(&[first], START), code(&[first], agreed(START))),
                (Some(1002), None),
                "{first:x}"
            );
            assert_eq!(code(&[first], agreed(WITHIN)), Some(1002), "{first:x}");
        }
        for first in [0x40, 0xC0, 0xC8, 0xC9, 0xCA, 0xE1, 0xD1, 0xF2] {
            assert_eq!(code(&[first], agreed(START)), Some(1002), "{first:x}");
            assert_eq!(code(&[first], agreed(WITHIN)), Some(1002), "{first:x}");
        }
        assert_eq!(code(&[0xC1, 0xFE, 0x04, 0xB0], agreed(START)), None);
        assert_eq!(code(&[0xC1, 0xFE, 0x04, 0xB1], agreed(START)), Some(1009));
        assert_eq!(code(&[0x81, 0xFE, 0x03, 0xE9], agreed(START)), Some(1009), "this one is not");
    }

    #[test]
    fn each_form_of_length_is_understood() {
        for (start, length) in [
            (&[0x81, 0x80 | 125][..], 125),
            (&[0x81, 0xFE, 0x00, 0x7E], 126),
            (&[0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0x02, 0x01], 513),
        ] {
            let bytes = [start, &[1, 2, 3, 4]].concat();
            let header = Header::parse(&bytes, START).expect("a header").expect("whole");
            assert_eq!((header.length, header.size, header.mask), (length, bytes.len(), [1, 2, 3, 4]));
            assert!(Header::parse(&bytes[..bytes.len() - 1], START).expect("no reason").is_none());
        }
    }

    #[test]
    fn a_mask_goes_on_where_the_last_part_ended() {
        let (plain, mask) = (*b"a payload of some length", [0xFF, 0x0F, 0xAA, 0x01]);
        let mut masked = plain;
        unmask(&mut masked, mask, 0);
        assert!(masked.iter().enumerate().all(|(at, byte)| byte ^ mask[at % 4] == plain[at]));
        for cut in 0..plain.len() {
            let mut parts = masked;
            let (first, second) = parts.split_at_mut(cut);
            unmask(first, mask, 0);
            unmask(second, mask, cut);
            assert_eq!(parts, plain, "{cut}");
        }
    }
}
