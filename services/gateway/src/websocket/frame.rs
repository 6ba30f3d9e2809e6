//! Outgoing frames: encoded once, shared by every connection of a worker that gets them.

use std::rc::Rc;

use super::CloseReason;

/// A whole WebSocket frame, header included, as it goes to the socket.
pub(crate) type Frame = Rc<[u8]>;

const FINAL: u8 = 0x80;
/// The first reserved bit: the message is compressed (RFC 7692, section 6).
const COMPRESSED: u8 = 0x40;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;

/// A text frame.
pub(crate) fn text(payload: &[u8]) -> Frame {
    encode(TEXT, &[payload])
}

/// A binary frame.
pub(crate) fn binary(payload: &[u8]) -> Frame {
    encode(BINARY, &[payload])
}

/// Several frames in one piece.
pub(crate) fn joined<'a>(frames: impl ExactSizeIterator<Item = &'a Frame> + Clone) -> Frame {
    let mut bytes = Vec::with_capacity(frames.clone().map(|frame| frame.len()).sum());
    frames.for_each(|frame| bytes.extend_from_slice(frame));
    bytes.into()
}

/// A ping frame without payload.
pub(crate) fn ping() -> Frame {
    encode(PING, &[])
}

/// The answer to a ping.
pub(crate) fn pong(payload: &[u8]) -> Frame {
    encode(PONG, &[payload])
}

/// A close frame.
pub(crate) fn close(reason: &CloseReason) -> Frame {
    encode(CLOSE, &[&reason.code.to_be_bytes(), reason.reason.as_bytes()])
}

/// The text frame of an event: its JSON object with its place spliced in before the closing
/// brace. An ephemeral event (offset 0) has a channel but no offset.
pub(crate) fn event(json: &[u8], channel: &str, offset: u64) -> Frame {
    encode(TEXT, &spliced(json, &place_members(channel, offset)))
}

/// The members that say where an event belongs.
pub(crate) fn place_members(channel: &str, offset: u64) -> String {
    match offset {
        0 => format!("\"channel\":\"{channel}\""),
        offset => format!("\"channel\":\"{channel}\",\"offset\":{offset}"),
    }
}

/// The text frame of `carillon.v1` around what an owner says of a channel: an event, with its offset, or
/// something else (offset 0).
pub(crate) fn enveloped(json: &[u8], channel: &str, offset: u64) -> Frame {
    let place = match offset {
        0 => String::new(),
        offset => format!(",\"offset\":{offset}"),
    };
    encode(
        TEXT,
        &[b"{\"channel\":\"", channel.as_bytes(), b"\"", place.as_bytes(), b",\"data\":", json, b"}"],
    )
}

/// The text frame of a greeting: its JSON object with what a client needs to come back to where
/// it was: `epoch` and `channels`.
pub(crate) fn greeting(json: &[u8], epoch: &str, channels: &[(&str, u64)]) -> Frame {
    encode(TEXT, &spliced(json, &greeting_members(epoch, channels)))
}

/// `epoch` and `channels`.
pub(crate) fn greeting_members(epoch: &str, channels: &[(&str, u64)]) -> String {
    let channels: Vec<String> = channels
        .iter()
        .map(|(name, offset)| format!("{{\"name\":\"{name}\",\"offset\":{offset}}}"))
        .collect();
    format!("\"epoch\":\"{epoch}\",\"channels\":[{}]", channels.join(","))
}

/// The opcode and the payload of a frame that is a whole message, as it was put in. `None`: it is no such one.
pub(super) fn message(frame: &Frame) -> Option<(u8, &[u8])> {
    let (first, start) = (*frame.first()?, header_size(*frame.get(1)?));
    let opcode = first & !FINAL;
    matches!(opcode, TEXT | BINARY).then(|| Some((opcode, frame.get(start..)?)))?
}

/// A message of this opcode, whose payload is compressed.
pub(super) fn compressed(opcode: u8, payload: &[u8]) -> Frame {
    encode(COMPRESSED | opcode, &[payload])
}

/// The parts of a JSON object with further members, which takes no parsing. What is no object stays as it is.
pub(crate) fn spliced<'a>(json: &'a [u8], members: &'a str) -> [&'a [u8]; 4] {
    let json = json.trim_ascii_end();
    let Some(open) = json.strip_suffix(b"}") else { return [json, b"", b"", b""] };
    let open = open.trim_ascii_end();
    let comma: &[u8] = if open.ends_with(b"{") { b"" } else { b"," };
    [open, comma, members.as_bytes(), b"}"]
}

/// Bytes of header of an unmasked frame that has this second byte.
pub(super) fn header_size(second: u8) -> usize {
    match second {
        127 => 10,
        126 => 4,
        _ => 2,
    }
}

/// A final, unmasked frame (RFC 6455, section 5.2) around the parts of its payload.
fn encode(opcode: u8, parts: &[&[u8]]) -> Frame {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = Vec::with_capacity(length + 10);
    frame.push(FINAL | opcode);
    if let Ok(length) = u8::try_from(length)
        && length < 126
    {
        frame.push(length);
    } else if let Ok(length) = u16::try_from(length) {
        frame.push(126);
        frame.extend_from_slice(&length.to_be_bytes());
    } else {
        frame.push(127);
        frame.extend_from_slice(&(length as u64).to_be_bytes());
    }
    parts.iter().for_each(|part| frame.extend_from_slice(part));
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(frame: &Frame) -> &str {
        std::str::from_utf8(&frame[2..]).expect("text")
    }

    #[test]
    fn the_place_is_spliced_in_before_the_closing_brace() {
        assert_eq!(
            payload(&event(b"{\"type\":\"x\"} \n", "user.1", 7)),
            "{\"type\":\"x\",\"channel\":\"user.1\",\"offset\":7}"
        );
        assert_eq!(payload(&event(b"{ }", "user.1", 0)), "{\"channel\":\"user.1\"}");
        assert_eq!(payload(&event(b"[1]", "user.1", 7)), "[1]");
        assert_eq!(
            payload(&greeting(b"{\"a\":1}", "e1", &[("everyone", 0), ("user.1", 3)])),
            "{\"a\":1,\"epoch\":\"e1\",\"channels\":[{\"name\":\"everyone\",\"offset\":0},{\"name\":\"user.1\",\"offset\":3}]}"
        );
    }

    #[test]
    fn lengths_take_the_shortest_form() {
        for (length, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            assert_eq!(text(&vec![b'x'; length]).len(), length + header);
        }
    }
}
