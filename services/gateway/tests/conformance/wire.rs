//! Frames as they go over the wire (RFC 6455, section 5.2), right and wrong ones.

use flate2::{Compress, Compression, FlushCompress};

pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xA;

pub(crate) const FINAL: u8 = 0x80;

/// The first reserved bit (RFC 7692, section 6).
pub(crate) const COMPRESSED: u8 = 0x40;

/// What every payload is masked with.
pub(crate) const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// A whole message, or a control frame.
pub(crate) fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    beginning_with(FINAL | opcode, payload)
}

/// A part of a message that is not its last one.
pub(crate) fn part(opcode: u8, payload: &[u8]) -> Vec<u8> {
    beginning_with(opcode, payload)
}

/// The last part of a message.
pub(crate) fn last(payload: &[u8]) -> Vec<u8> {
    frame(CONTINUATION, payload)
}

/// A whole frame with these reserved bits (1 to 7).
pub(crate) fn reserved(bits: u8, opcode: u8, payload: &[u8]) -> Vec<u8> {
    beginning_with(FINAL | bits << 4 | opcode, payload)
}

pub(crate) fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// A message in parts of so many bytes.
pub(crate) fn fragmented(opcode: u8, payload: &[u8], size: usize) -> Vec<u8> {
    let parts = payload.chunks(size);
    let end = parts.len() - 1;
    let frames = parts.enumerate().map(|(index, bytes)| {
        let opcode = if index == 0 { opcode } else { CONTINUATION };
        if index == end { frame(opcode, bytes) } else { part(opcode, bytes) }
    });
    frames.flatten().collect()
}

/// A compressed message in one frame.
pub(crate) fn compressed(opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame(COMPRESSED | opcode, &deflated(payload))
}

/// A compressed message in parts of so many bytes.
pub(crate) fn compressed_in_parts(opcode: u8, payload: &[u8], size: usize) -> Vec<u8> {
    fragmented(COMPRESSED | opcode, &deflated(payload), size)
}

/// A payload as a compressed message has it (RFC 7692, section 7.2.1).
pub(crate) fn deflated(payload: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(payload.len() + payload.len() / 8 + 64);
    let mut state = Compress::new(Compression::default(), false);
    state.compress_vec(payload, &mut output, FlushCompress::Sync).expect("compressed");
    assert!(output.ends_with(&[0, 0, 0xFF, 0xFF]));
    output.truncate(output.len() - 4);
    output
}

/// A masked frame whose length is written in the shortest way.
fn beginning_with(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | u8::try_from(length).expect("short")),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&u16::try_from(length).expect("short").to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}
