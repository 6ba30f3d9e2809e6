//! Incoming frames: whole messages out of bytes, within bounds, or the reason to close.

use actix_codec::Decoder as _;
use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use bytes::{Bytes, BytesMut};

use super::CloseReason;

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
    codec: Codec,
    max_size: usize,
    bytes: BytesMut,
    fragments: Option<Box<Fragments>>,
}

/// A message that has not arrived whole.
struct Fragments {
    binary: bool,
    payload: BytesMut,
}

impl Decoder {
    /// A decoder of messages of up to `max_size` bytes.
    pub(crate) fn new(max_size: usize) -> Self {
        let codec = Codec::new().max_size(max_size);
        Self { codec, max_size, bytes: BytesMut::new(), fragments: None }
    }

    /// Takes in what was read.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next message, if it is there whole.
    ///
    /// # Errors
    /// Why the connection has to be closed. Nothing can be decoded after that.
    pub(crate) fn next(&mut self) -> Result<Option<Incoming>, CloseReason> {
        while !self.bytes.is_empty() {
            self.refuse_too_long()?;
            let Some(frame) = self.codec.decode(&mut self.bytes).map_err(reason)? else { return Ok(None) };
            if let Some(incoming) = self.assemble(frame)? {
                return Ok(Some(incoming));
            }
        }
        // An idle connection holds no buffer.
        self.bytes = BytesMut::new();
        Ok(None)
    }

    /// The codec waits for the whole of a frame before it looks at its length: a frame that
    /// announces too much is refused by its header already.
    fn refuse_too_long(&self) -> Result<(), CloseReason> {
        match declared_length(&self.bytes) {
            Some(length) if length > self.max_size as u64 => Err(CloseReason::TOO_BIG),
            _ => Ok(()),
        }
    }

    fn assemble(&mut self, frame: Frame) -> Result<Option<Incoming>, CloseReason> {
        Ok(Some(match frame {
            Frame::Text(payload) => text(payload)?,
            Frame::Binary(payload) => Incoming::Binary(payload),
            Frame::Ping(payload) => Incoming::Ping(payload),
            Frame::Pong(_) => Incoming::Pong,
            Frame::Close(reason) => Incoming::Close(reason.map(|reason| reason.code.into())),
            Frame::Continuation(item) => return self.continued(item),
        }))
    }

    fn continued(&mut self, item: Item) -> Result<Option<Incoming>, CloseReason> {
        let (part, last) = match item {
            Item::FirstText(part) => (self.started(false, part), false),
            Item::FirstBinary(part) => (self.started(true, part), false),
            Item::Continue(part) => (part, false),
            Item::Last(part) => (part, true),
        };
        let fragments = self.fragments.as_mut().ok_or(CloseReason::PROTOCOL_ERROR)?;
        if fragments.payload.len() + part.len() > self.max_size {
            return Err(CloseReason::TOO_BIG);
        }
        fragments.payload.extend_from_slice(&part);
        if !last {
            return Ok(None);
        }
        let Some(fragments) = self.fragments.take() else { return Ok(None) };
        let payload = fragments.payload.freeze();
        if fragments.binary { Ok(Some(Incoming::Binary(payload))) } else { text(payload).map(Some) }
    }

    fn started(&mut self, binary: bool, part: Bytes) -> Bytes {
        self.fragments = Some(Box::new(Fragments { binary, payload: BytesMut::new() }));
        part
    }
}

fn text(payload: Bytes) -> Result<Incoming, CloseReason> {
    match std::str::from_utf8(&payload) {
        Ok(_) => Ok(Incoming::Text(payload)),
        Err(_) => Err(CloseReason::INVALID_UTF8),
    }
}

fn reason(error: ProtocolError) -> CloseReason {
    match error {
        ProtocolError::Overflow => CloseReason::TOO_BIG,
        _ => CloseReason::PROTOCOL_ERROR,
    }
}

/// The payload length that a frame's header announces (RFC 6455, section 5.2), once it is there.
fn declared_length(bytes: &[u8]) -> Option<u64> {
    match bytes.get(1)? & 0x7F {
        126 => Some(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into()),
        127 => Some(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        length => Some(length.into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        let mut decoder = Decoder::new(MAX);
        decoder.feed(bytes);
        let mut all = Vec::new();
        while let Some(incoming) = decoder.next()? {
            all.push(incoming);
        }
        Ok(all)
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

    proptest! {
        /// Whatever arrives, in whatever pieces: no panic, the same messages, and nothing larger than allowed.
        #[test]
        fn arbitrary_bytes_are_decoded_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..3_000),
            cut in 1_usize..64,
        ) {
            let whole = decoded(&bytes);
            let mut decoder = Decoder::new(MAX);
            let mut pieces = Vec::new();
            let mut failure = None;
            'feeding: for piece in bytes.chunks(cut) {
                decoder.feed(piece);
                loop {
                    match decoder.next() {
                        Ok(Some(incoming)) => pieces.push(incoming),
                        Ok(None) => break,
                        Err(reason) => { failure = Some(reason); break 'feeding; }
                    }
                }
            }
            match whole {
                Ok(messages) => { prop_assert_eq!(failure, None); prop_assert_eq!(messages, pieces); }
                Err(_) => prop_assert!(failure.is_some()),
            }
        }

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
