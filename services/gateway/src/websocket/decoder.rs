//! Incoming frames: whole messages out of bytes, within bounds, or the reason to close (RFC 6455).

use std::rc::Rc;

use bytes::{Buf, Bytes, BytesMut};

use super::{
    CloseReason, Inflater,
    close::can_be_sent,
    header::{Header, Opcode, Place, unmask},
    message::{Message, Progress},
};

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    /// A whole text message, checked to be UTF-8.
    Text(Bytes),
    /// A whole binary message.
    Binary(Bytes),
    /// To be answered with the same payload.
    Ping(Bytes),
    /// The answer to a ping of ours.
    Pong,
    /// The client closes, with this code if it named one.
    Close(Option<u16>),
}

/// Turns bytes into messages. It keeps bytes only while a frame or a fragmented message is incomplete.
pub(crate) struct Decoder {
    max_size: usize,
    /// What was fed and is not taken in yet. Of a frame that is not whole, no more than its header, or a
    /// control frame.
    bytes: BytesMut,
    /// A message that has not arrived whole.
    message: Option<Box<Message>>,
    /// What inflates compressed messages, if there may be any.
    inflater: Option<Rc<Inflater>>,
}

impl Decoder {
    /// A decoder of messages of up to `max_size` bytes, also of compressed ones if there is something to
    /// inflate them.
    pub(crate) fn new(max_size: usize, inflater: Option<Rc<Inflater>>) -> Self {
        Self { max_size, bytes: BytesMut::new(), message: None, inflater }
    }

    /// Takes in what was read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if it is there whole.
    ///
    /// # Errors
    /// Why the connection has to be closed: a text that is not UTF-8, or a frame that is too long, as
    /// soon as that is certain. Nothing can be decoded after that.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>, CloseReason> {
        loop {
            if let Some(message) = self.message.as_mut().filter(|message| message.is_in_frame()) {
                match message.receive(&mut self.bytes)? {
                    Progress::Waiting => break,
                    Progress::Continued => {}
                    Progress::Whole => {
                        return self.message.take().map(|message| self.whole(*message)).transpose();
                    }
                }
            }
            let Some(header) = Header::parse(&self.bytes, self.place())? else { break };
            let is_whole = self.bytes.len() - header.size >= header.length;
            if header.opcode.is_control() {
                if !is_whole {
                    break;
                }
                let payload = self.payload(&header);
                return control(header.opcode, payload).map(Some);
            }
            let is_binary = header.opcode == Opcode::Binary;
            if is_whole && header.is_last && self.message.is_none() {
                let payload = self.payload(&header);
                return match (header.is_compressed, is_binary) {
                    (true, _) => self.inflated(&payload, is_binary).map(Some),
                    (false, true) => Ok(Some(Incoming::Binary(payload))),
                    (false, false) => text(payload).map(Some),
                };
            }
            self.bytes.advance(header.size);
            self.message
                .get_or_insert_with(|| Box::new(Message::new(is_binary, header.is_compressed)))
                .begin(&header);
        }
        if self.bytes.is_empty() {
            // An idle connection holds no buffer.
            self.bytes = BytesMut::new();
        }
        Ok(None)
    }

    /// Bytes of memory that are taken up by what is not whole yet.
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity() + self.message.as_ref().map_or(0, |message| message.capacity())
    }

    /// How much of a message there can be before it is whole.
    pub(crate) fn most(&self) -> usize {
        if self.inflater.is_some() { most_compressed(self.max_size) } else { self.max_size }
    }

    fn place(&self) -> Place {
        let compressed_room = self.inflater.is_some().then(|| self.most());
        let room = match (&self.message, compressed_room) {
            (None, _) => self.max_size,
            (Some(message), Some(most)) if message.is_compressed => most.saturating_sub(message.len()),
            (Some(message), _) => self.max_size.saturating_sub(message.len()),
        };
        Place { is_within_message: self.message.is_some(), room, compressed_room }
    }

    fn whole(&self, message: Message) -> Result<Incoming, CloseReason> {
        match (message.is_compressed, message.is_binary) {
            (true, is_binary) => self.inflated(&message.into_payload(), is_binary),
            (false, true) => Ok(Incoming::Binary(message.into_payload())),
            // It was checked as it came.
            (false, false) => Ok(Incoming::Text(message.into_payload())),
        }
    }

    fn inflated(&self, payload: &[u8], is_binary: bool) -> Result<Incoming, CloseReason> {
        // Its header would have been refused.
        let Some(inflater) = &self.inflater else { return Err(CloseReason::PROTOCOL_ERROR) };
        let payload = inflater.inflate(payload, self.max_size)?;
        if is_binary { Ok(Incoming::Binary(payload)) } else { text(payload) }
    }

    /// The payload of a frame that is there whole.
    fn payload(&mut self, header: &Header) -> Bytes {
        self.bytes.advance(header.size);
        let mut payload = match self.bytes.len() {
            length if length == header.length => std::mem::take(&mut self.bytes),
            _ => self.bytes.split_to(header.length),
        };
        unmask(&mut payload, header.mask, 0);
        payload.freeze()
    }
}

/// What a message of up to so many bytes can come to, compressed: bytes at random become more, and how much
/// more depends on the compressor's settings.
fn most_compressed(max_size: usize) -> usize {
    max_size + max_size / 8 + 64
}

fn text(payload: Bytes) -> Result<Incoming, CloseReason> {
    match std::str::from_utf8(&payload) {
        Ok(_) => Ok(Incoming::Text(payload)),
        Err(_) => Err(CloseReason::INVALID_UTF8),
    }
}

fn control(opcode: Opcode, payload: Bytes) -> Result<Incoming, CloseReason> {
    match opcode {
        Opcode::Ping => Ok(Incoming::Ping(payload)),
        Opcode::Close => closed(&payload),
        _ => Ok(Incoming::Pong),
    }
}

/// What a close frame says (section 5.5.1).
fn closed(payload: &[u8]) -> Result<Incoming, CloseReason> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(Incoming::Close(None)) } else { Err(CloseReason::PROTOCOL_ERROR) };
    };
    let code = u16::from_be_bytes(*code);
    if !can_be_sent(code) {
        return Err(CloseReason::PROTOCOL_ERROR);
    }
    match std::str::from_utf8(reason) {
        Ok(_) => Ok(Incoming::Close(Some(code))),
        Err(_) => Err(CloseReason::INVALID_UTF8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hostile::taken_in;

    /// Bytes of a message at most.
    const MAX: usize = 1_000;

    fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match u8::try_from(payload.len()) {
            Ok(length) if length < 126 => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&u16::try_from(payload.len()).expect("short").to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        frame
    }

    fn decoded(bytes: &[u8]) -> Result<Vec<Incoming>, CloseReason> {
        match taken_in(false, [bytes]) {
            (messages, None) => Ok(messages),
            (_, Some(reason)) => Err(reason),
        }
    }

    #[test]
    fn fragments_are_one_message_with_control_frames_between_them() {
        let bytes = [masked(0x01, b"{\"a\""), masked(0x89, b"p"), masked(0x00, b":"), masked(0x80, b"1}")];
        let expected = [Incoming::Ping("p".into()), Incoming::Text("{\"a\":1}".into())];
        assert_eq!(decoded(&bytes.concat()).expect("messages"), expected);
    }

    #[test]
    fn each_violation_has_its_code() {
        let code = |bytes: &[u8]| decoded(bytes).expect_err("a reason").code;
        assert_eq!(code(&masked(0x81, b"\xFF")), 1007);
        assert_eq!(code(&masked(0xC1, b"x")), 1002, "reserved bit");
        assert_eq!(code(&masked(0x83, b"x")), 1002, "unknown opcode");
        assert_eq!(code(&masked(0x80, b"x")), 1002, "nothing to continue");
        assert_eq!(code(&[0x81, 0x01, b'x']), 1002, "not masked");
        assert_eq!(
            code(&[masked(0x01, b"a"), masked(0x81, b"b")].concat()),
            1002,
            "a message within a message"
        );
        assert_eq!(code(&[0x81, 0xFE, 0x03, 0xE9]), 1009, "one byte too long, known from its header");
        assert_eq!(code(&[masked(0x01, &[b'a'; 600]), masked(0x80, &[b'b'; 600])].concat()), 1009);
        assert_eq!(decoded(&masked(0x81, &[b'a'; MAX])).expect("a message").len(), 1);
    }

    #[test]
    fn a_close_frame_is_refused_for_what_is_wrong_with_it() {
        let close = |payload: &[u8]| decoded(&masked(0x88, payload)).map_err(|reason| reason.code);
        assert_eq!(close(b""), Ok(vec![Incoming::Close(None)]));
        assert_eq!(close(b"\x03\xE8"), Ok(vec![Incoming::Close(Some(1000))]));
        assert_eq!(close(b"\x0F\xA0\xC3\xA9"), Ok(vec![Incoming::Close(Some(4000))]));
        assert_eq!(close(b"\x03"), Err(1002), "half a code");
        assert_eq!(close(b"\x03\xED"), Err(1002), "1005 is never sent");
        assert_eq!(close(b"\x03\xE8\xC3"), Err(1007), "the reason is not UTF-8");
    }

    #[test]
    fn a_text_is_refused_before_it_is_whole() {
        let frame = masked(0x81, "κόσμε\u{10FFFF}".as_bytes());
        let second = frame.len() - 3;
        let ending_in = |byte| [&frame[..second], &[byte]].concat();
        // U+110000 would begin with these two bytes, U+10F000 does with those.
        assert_eq!(decoded(&ending_in(0x90)).expect_err("a reason").code, 1007, "in a frame");
        assert_eq!(decoded(&ending_in(0x8F)).expect("so far"), []);
        let parts = [masked(0x01, "κόσμε".as_bytes()), masked(0x00, b"\xF4\x90")].concat();
        assert_eq!(decoded(&parts).expect_err("a reason").code, 1007, "in a fragment");
    }

    proptest! {
        /// A message is the same however it is cut into fragments.
        #[test]
        fn fragments_make_up_the_message(payload in "\\PC{1,200}", cut in 1_usize..50) {
            let parts: Vec<&[u8]> = payload.as_bytes().chunks(cut).collect();
            let last = parts.len() - 1;
            let mut bytes = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                let opcode = if index == 0 { 0x01 } else { 0x00 };
                let fin = if index == last { 0x80 } else { 0x00 };
                bytes.extend(masked(fin | opcode, part));
            }
            prop_assert_eq!(decoded(&bytes).expect("a message"), vec![Incoming::Text(payload.into())]);
        }
    }
}
