//! RFC 6455 on a socket: what breaks it closes with a code of its own.

use anyhow::{Context, ensure};
use carillon_testkit::{Deployment, Socket};
use serde_json::json;

use crate::{
    checks::{ends, greeted, has, lives},
    suite::{Suite, both},
};

/// The largest message.
const LARGEST: usize = 64 * 1_024;

pub(crate) const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
/// The last frame of a message.
pub(crate) const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

pub(crate) fn register(suite: &mut Suite) {
    both!(
        suite,
        a_message_may_have_64_kib_and_no_more,
        a_violation_of_the_protocol_closes_with_1002,
        text_that_is_not_utf_8_closes_with_1007,
        a_fragmented_message_is_one_message,
        a_close_is_answered_with_its_code,
    );
}

/// One byte more closes with 1009: in one frame, in fragments, or only announced.
pub(crate) async fn a_message_may_have_64_kib_and_no_more(deployment: &Deployment) -> anyhow::Result<()> {
    let largest = padded(LARGEST);
    let mut socket = anonymous(deployment).await?;
    socket.send_text(&largest).await?;
    has(&socket.next_of_type("pong").await?, &json!({"timestamp": 1}))?;
    socket
        .send_bytes(&[frame(TEXT, &largest.as_bytes()[..9]), frame(FIN, &largest.as_bytes()[9..])].concat())
        .await?;
    has(&socket.next_of_type("pong").await?, &json!({"timestamp": 1}))?;
    socket.close().await?;

    let larger = padded(LARGEST + 1);
    let larger = larger.as_bytes();
    let mut announced = vec![FIN | TEXT, MASKED | 127];
    announced.extend(i64::MAX.to_be_bytes());
    for bytes in [
        frame(FIN | TEXT, larger),
        frame(FIN | BINARY, larger),
        [frame(TEXT, &larger[..40_000]), frame(FIN, &larger[40_000..])].concat(),
        announced,
    ] {
        closes(deployment, &bytes, 1009).await?;
    }
    Ok(())
}

/// RFC 6455: what isn't masked, reserved bits and opcodes, fragments out of turn, control frames that are too long or
/// fragmented, and close frames that no client may send.
pub(crate) async fn a_violation_of_the_protocol_closes_with_1002(
    deployment: &Deployment,
) -> anyhow::Result<()> {
    let unmasked = b"\x81\x04null".to_vec();
    let unmasked_ping = b"\x89\x00".to_vec();
    let mut length_of_64_bits = vec![FIN | TEXT, MASKED | 127];
    length_of_64_bits.extend(u64::MAX.to_be_bytes());
    for (what, bytes) in [
        ("a length whose first bit is set", length_of_64_bits),
        ("not masked", unmasked),
        ("a ping that isn't masked", unmasked_ping),
        ("reserved bit 1", frame(FIN | 0x40 | TEXT, b"null")),
        ("reserved bit 2", frame(FIN | 0x20 | TEXT, b"null")),
        ("reserved bit 3", frame(FIN | 0x10 | TEXT, b"null")),
        ("opcode 3", frame(FIN | 3, b"null")),
        ("opcode 7", frame(FIN | 7, b"null")),
        ("opcode 11", frame(FIN | 11, b"null")),
        ("opcode 15", frame(FIN | 15, b"null")),
        ("nothing to continue", frame(FIN, b"null")),
        ("nothing to continue, not the last", frame(0, b"null")),
        ("a message within a message", [frame(TEXT, b"nu"), frame(FIN | TEXT, b"ll")].concat()),
        ("another first fragment", [frame(TEXT, b"nu"), frame(TEXT, b"ll")].concat()),
        ("a fragmented ping", frame(PING, b"")),
        ("a long ping", frame(FIN | PING, &[b'x'; 126])),
        ("a fragmented close", frame(CLOSE, &1000_u16.to_be_bytes())),
        ("a long close", frame(FIN | CLOSE, &[&1000_u16.to_be_bytes()[..], &[b'x'; 124]].concat())),
        ("half a close code", frame(FIN | CLOSE, b"\x03")),
        ("close code 0", frame(FIN | CLOSE, &0_u16.to_be_bytes())),
        ("close code 999", frame(FIN | CLOSE, &999_u16.to_be_bytes())),
        ("close code 1004", frame(FIN | CLOSE, &1004_u16.to_be_bytes())),
        ("close code 1005", frame(FIN | CLOSE, &1005_u16.to_be_bytes())),
        ("close code 1006", frame(FIN | CLOSE, &1006_u16.to_be_bytes())),
        ("close code 1015", frame(FIN | CLOSE, &1015_u16.to_be_bytes())),
        ("close code 2999", frame(FIN | CLOSE, &2999_u16.to_be_bytes())),
        ("close code 5000", frame(FIN | CLOSE, &5000_u16.to_be_bytes())),
    ] {
        closes(deployment, &bytes, 1002).await.context(what)?;
    }
    Ok(())
}

/// In a message, at the end of one, over fragments, and in the reason of a close frame.
pub(crate) async fn text_that_is_not_utf_8_closes_with_1007(deployment: &Deployment) -> anyhow::Result<()> {
    for bytes in [
        frame(FIN | TEXT, b"\"\xFF\""),
        frame(FIN | TEXT, b"\"\xC3"),
        frame(FIN | TEXT, b"\"\xED\xA0\x80\""),
        frame(FIN | CLOSE, b"\x03\xE8\xFF"),
        [frame(TEXT, b"\"\xC3"), frame(FIN, b"\"")].concat(),
    ] {
        closes(deployment, &bytes, 1007).await.with_context(|| format!("{bytes:?}"))?;
    }
    Ok(())
}

/// Cut anywhere, within a character too, with control frames between the pieces, arriving byte by byte.
pub(crate) async fn a_fragmented_message_is_one_message(deployment: &Deployment) -> anyhow::Result<()> {
    let mut socket = anonymous(deployment).await?;
    let text = "{\"type\":\"ping\",\"timestamp\":\"zürich 🎉\"}";
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(5).collect();
    let last = pieces.len() - 1;
    let mut bytes = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let opcode = if index == 0 { TEXT } else { 0 };
        let fin = if index == last { FIN } else { 0 };
        bytes.extend([frame(fin | opcode, piece), frame(FIN | PING, b"between")].concat());
    }
    for byte in bytes {
        socket.send_bytes(&[byte]).await?;
    }
    has(&socket.next_of_type("pong").await?, &json!({"timestamp": "zürich 🎉"}))?;
    lives(socket).await
}

/// S4-06: a client's own code comes back; without one, 1000 or none.
pub(crate) async fn a_close_is_answered_with_its_code(deployment: &Deployment) -> anyhow::Result<()> {
    for code in [1000, 1001, 1011, 3000, 4000, 4999] {
        let mut socket = anonymous(deployment).await?;
        socket.ask_to_close(code, "going").await?;
        ends(&mut socket, code).await?;
    }
    let mut socket = anonymous(deployment).await?;
    socket.send_bytes(&frame(FIN | CLOSE, b"")).await?;
    let (code, _) = socket.expect_close().await?;
    ensure!([1000, 1005].contains(&code), "closed with {code}");
    Ok(())
}

async fn anonymous(deployment: &Deployment) -> anyhow::Result<Socket> {
    greeted(deployment.socket("/ws/notifications/")?).await
}

async fn closes(deployment: &Deployment, bytes: &[u8], code: u16) -> anyhow::Result<()> {
    let mut socket = anonymous(deployment).await?;
    socket.send_bytes(bytes).await?;
    ends(&mut socket, code).await
}

/// A ping of so many bytes.
fn padded(length: usize) -> String {
    let mut text = String::from("{\"type\":\"ping\",\"timestamp\":1}");
    text.push_str(&" ".repeat(length - text.len()));
    text
}

/// A frame as a client sends it: masked, with a key of zeros.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(MASKED | u8::try_from(length).unwrap_or_default()),
        length @ 126..=0xFFFF => {
            frame.push(MASKED | 126);
            frame.extend(u16::try_from(length).unwrap_or_default().to_be_bytes());
        }
        length => {
            frame.push(MASKED | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}
