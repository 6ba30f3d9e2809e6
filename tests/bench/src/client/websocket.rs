//! As much of RFC 6455 as measuring takes: the upgrade, and the headers of frames.

use anyhow::{Context, Result, bail, ensure};

/// The longest head of a response or request that either side accepts, in bytes.
const MAX_HEAD: usize = 8 * 1024;

/// The RFC's own example of a key. A nonce guards against caches, of which there are none here.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The only answer to [`KEY`], so that neither side needs SHA-1.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text,
    Close,
    Ping,
    Pong,
}

/// One frame of a server, which must be whole (not a fragment) and unmasked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: Opcode,
    pub(crate) payload: &'a [u8],
    /// Of the whole frame, in bytes.
    pub(crate) length: usize,
}

/// The request that asks `authority` for a WebSocket at `path`.
pub(crate) fn upgrade_request(authority: &str, path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// The answer to [`upgrade_request`].
pub(crate) fn upgrade_response() -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n\r\n"
    )
    .into_bytes()
}

/// The path that a request asks for, or `None` while its head is incomplete.
pub(crate) fn requested_path(bytes: &[u8]) -> Result<Option<&str>> {
    let Some(length) = head_length(bytes)? else { return Ok(None) };
    let head = std::str::from_utf8(&bytes[..length]).context("the request's head is not UTF-8")?;
    ensure!(head.contains(KEY), "the request's key is not the one that has a known answer");
    let path = head.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    path.map(Some).with_context(|| format!("not an upgrade request: {head}"))
}

/// The length of the head of a response that accepts the upgrade, or `None` while it is incomplete.
pub(crate) fn accepted(bytes: &[u8]) -> Result<Option<usize>> {
    let Some(length) = head_length(bytes)? else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..length]);
    ensure!(head.starts_with("HTTP/1.1 101 "), "the upgrade was refused: {head}");
    ensure!(head.contains(ACCEPT), "the upgrade was accepted with a wrong key: {head}");
    Ok(Some(length))
}

fn head_length(bytes: &[u8]) -> Result<Option<usize>> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    ensure!(end.is_some() || bytes.len() <= MAX_HEAD, "the head of an HTTP message never ends");
    Ok(end.map(|end| end + 4))
}

/// The first frame of `bytes`, or `None` if it isn't all there yet.
pub(crate) fn frame(bytes: &[u8]) -> Result<Option<Frame<'_>>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (header, payload) = match (*second, rest) {
        (length @ ..=125, _) => (2, usize::from(length)),
        (126, [high, low, ..]) => (4, usize::from(u16::from_be_bytes([*high, *low]))),
        (126, _) => return Ok(None),
        (127, _) => bail!("a frame of more than 64 KiB"),
        _ => bail!("a frame that is masked, although a server sent it"),
    };
    let opcode = match first {
        0x81 => Opcode::Text,
        0x88 => Opcode::Close,
        0x89 => Opcode::Ping,
        0x8a => Opcode::Pong,
        other => bail!("a frame of an unexpected kind: its first byte is {other:#04x}"),
    };
    let length = header + payload;
    Ok(bytes.get(header..length).map(|payload| Frame { opcode, payload, length }))
}

/// Appends a server's text frame.
///
/// # Panics
/// If `text` is longer than 64 KiB; [`frame`] doesn't read such frames either.
pub(crate) fn write_text(text: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(text.len()).expect("a text of less than 64 KiB");
    match u8::try_from(length) {
        Ok(length @ ..=125) => out.extend_from_slice(&[0x81, length]),
        _ => {
            out.extend_from_slice(&[0x81, 126]);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
    out.extend_from_slice(text);
}

/// A client's text frame. The masking key is zero, so that the payload stays as it is.
pub(crate) fn client_text(text: &[u8]) -> Result<Vec<u8>> {
    let length = u16::try_from(text.len()).context("a text of more than 64 KiB")?;
    let mut frame = match u8::try_from(length) {
        Ok(length @ ..=125) => vec![0x81, 0x80 | length],
        _ => [[0x81, 0x80 | 126], length.to_be_bytes()].concat(),
    };
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(text);
    Ok(frame)
}

/// A client's answer to a ping. The masking key is zero, so that the payload stays as it is.
pub(crate) fn pong(payload: &[u8]) -> Result<Vec<u8>> {
    let length = u8::try_from(payload.len()).ok().filter(|length| *length <= 125);
    let length = length.context("a ping of more than 125 bytes")?;
    Ok([&[0x8a, 0x80 | length, 0, 0, 0, 0], payload].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 125, 126, 127, 255, 256, 60_000] {
            let text = vec![b'x'; length];
            let mut bytes = Vec::new();
            write_text(&text, &mut bytes);
            for cut in [0, 1, 2, 3, bytes.len() - 1] {
                if cut < bytes.len() {
                    assert_eq!(frame(&bytes[..cut]).expect("no violation"), None, "{length} cut at {cut}");
                }
            }
            bytes.extend_from_slice(b"more");
            let read = frame(&bytes).expect("no violation").expect("a frame");
            assert_eq!((read.opcode, read.payload), (Opcode::Text, text.as_slice()));
            assert_eq!(read.length, bytes.len() - 4);
        }
    }

    #[test]
    fn a_frame_that_no_server_sends_is_an_error() {
        for bytes in [[0x81, 0x80], [0x01, 0x00], [0xc1, 0x00], [0x82, 0x00], [0x81, 127]] {
            assert!(frame(&bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn an_upgrade_is_understood_on_both_sides() {
        let request = upgrade_request("localhost", "/somewhere/");
        assert_eq!(requested_path(&request).expect("a request"), Some("/somewhere/"));
        assert_eq!(requested_path(&request[..30]).expect("a part of it"), None);
        let response = upgrade_response();
        assert_eq!(accepted(&response).expect("an acceptance"), Some(response.len()));
        assert!(accepted(b"HTTP/1.1 403 Forbidden\r\n\r\n").is_err());
    }

    #[test]
    fn a_clients_text_is_masked_and_unchanged() {
        assert_eq!(client_text(b"hi").expect("a frame"), [0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
        let long = client_text(&[b'x'; 200]).expect("a frame");
        assert_eq!((&long[..4], long.len()), (&[0x81, 0xfe, 0, 200][..], 208));
    }

    #[test]
    fn a_pong_is_masked_and_repeats_the_ping() {
        assert_eq!(pong(b"hi").expect("a pong"), [0x8a, 0x82, 0, 0, 0, 0, b'h', b'i']);
        assert!(pong(&[0; 126]).is_err());
    }
}
