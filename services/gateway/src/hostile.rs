//! What is done with bytes of strangers, as fuzzers (`make fuzz`) and this crate's own tests try it: whatever they
//! are, nothing panics, they mean the same however they are cut, and no more is held of them than allowed.

use std::rc::Rc;

use actix_codec::Decoder as _;
use actix_http::{ServiceConfig, h1};
use bytes::BytesMut;
use tokio::{runtime::Builder, task::LocalSet};

use crate::{
    handshake,
    websocket::{CloseReason, Decoder, Incoming, Inflater},
};

/// Bytes of a message at most.
const MOST: usize = 1_000;

/// Bytes that are held beside a message: a control frame that isn't whole.
const CONTROL: usize = 139;

thread_local! {
    /// The configuration of what reads requests, which wants to be made where tasks can be spawned.
    static CONFIG: ServiceConfig = {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        LocalSet::new().block_on(&runtime, async { ServiceConfig::default() })
    };
}

/// Frames of a client. The first byte says in pieces of how many bytes they come, and whether messages may be
/// compressed.
///
/// # Panics
/// If they mean something else when they come in one piece, or if too much is held of them.
pub fn frames(bytes: &[u8]) {
    let Some((first, stream)) = bytes.split_first() else { return };
    let (is_compressing, piece) = (first & 1 != 0, usize::from(first >> 1) + 1);
    let whole = taken_in(is_compressing, [stream]);
    assert_eq!(taken_in(is_compressing, stream.chunks(piece)), whole, "in pieces of {piece} bytes");
}

/// The messages of a stream that arrives in these pieces, and why it is refused after them.
pub(crate) fn taken_in<'a>(
    is_compressing: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Incoming>, Option<CloseReason>) {
    let inflater = is_compressing.then(Rc::<Inflater>::default);
    let (mut decoder, mut messages) = (Decoder::new(MOST, inflater), Vec::new());
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(Some(incoming)) => {
                    assert!(length(&incoming) <= MOST, "a message that is too long");
                    messages.push(incoming);
                }
                Ok(None) => break,
                Err(reason) => return (messages, Some(reason)),
            }
        }
        // What was read last and a control frame that isn't whole may have doubled a buffer that grows.
        let most = decoder.most() + 2 * (piece.len() + CONTROL);
        assert!(decoder.held() <= most, "{} bytes are held", decoder.held());
    }
    (messages, None)
}

fn length(incoming: &Incoming) -> usize {
    match incoming {
        Incoming::Text(payload) | Incoming::Binary(payload) | Incoming::Ping(payload) => payload.len(),
        Incoming::Pong | Incoming::Close(_) => 0,
    }
}

/// The head of a client's first request.
///
/// # Panics
/// If that is what it makes the gateway do.
pub fn handshake(bytes: &[u8]) {
    is_handshake(bytes);
}

fn is_handshake(bytes: &[u8]) -> bool {
    let mut codec = CONFIG.with(|config| h1::Codec::new(config.clone()));
    match codec.decode(&mut BytesMut::from(bytes)) {
        Ok(Some(h1::Message::Item(request))) => handshake::judge(request.head()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Frames as a client sends them, and some that none may send.
    fn frame() -> impl Strategy<Value = Vec<u8>> {
        let first = prop_oneof![
            6 => prop::sample::select(vec![0x01_u8, 0x02, 0x00, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A]),
            3 => prop::sample::select(vec![0x41_u8, 0x42, 0xC1, 0xC2]),
            1 => any::<u8>(),
        ];
        let payload = prop_oneof![
            2 => "\\PC{0,60}".prop_map(String::into_bytes),
            2 => "[ab]{0,3000}".prop_map(|text| deflated(text.as_bytes())),
            1 => prop::collection::vec(any::<u8>(), 0..400),
        ];
        let length = prop_oneof![
            16 => Just(None),
            1 => (0..2_000_u64).prop_map(Some),
            1 => any::<u64>().prop_map(Some),
        ];
        (first, payload, any::<[u8; 4]>(), length).prop_map(|(first, mut payload, mask, length)| {
            payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
            let length = length.unwrap_or(payload.len() as u64);
            let length = if length < 126 {
                vec![0x80 | u8::try_from(length).expect("short")]
            } else {
                [&[0xFF], &length.to_be_bytes()[..]].concat()
            };
            [&[first], &length[..], &mask, &payload].concat()
        })
    }

    /// A message as a client compresses it.
    fn deflated(payload: &[u8]) -> Vec<u8> {
        let mut output = Vec::with_capacity(payload.len() + 100);
        let mut compress = flate2::Compress::new(flate2::Compression::fast(), false);
        compress.compress_vec(payload, &mut output, flate2::FlushCompress::Sync).expect("compressed");
        output.truncate(output.len() - 4);
        output
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            1 => prop::collection::vec(any::<u8>(), 0..3_000),
            4 => prop::collection::vec(frame(), 0..12).prop_map(|frames| frames.concat()),
        ]
    }

    /// A request that is a handshake but for some bytes, and for what is in these headers.
    fn request() -> impl Strategy<Value = Vec<u8>> {
        let header = (
            prop::sample::select(vec![
                "Sec-WebSocket-Extensions",
                "Sec-WebSocket-Protocol",
                "Sec-WebSocket-Key",
                "Sec-WebSocket-Version",
                "Authorization",
                "Origin",
                "Connection",
                "X-Other",
            ]),
            prop_oneof![
                "[ -~]{0,40}".prop_map(String::into_bytes),
                "(permessage-deflate|bearer|[a-z_]{1,9}|[;,= \"\\\\0-9]){0,12}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..40),
            ],
        );
        let query = prop_oneof!["[!-~]{0,60}", "(since|dialect|token)=[!-~]{0,30}(&since=[a-z0-9.]{0,20})?"];
        let wrong = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
        (query, prop::collection::vec(header, 0..5), wrong).prop_map(|(query, headers, wrong)| {
            let mut request = format!(
                "GET /ws/notifications/?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            )
            .into_bytes();
            for (name, value) in headers {
                request.extend([name.as_bytes(), b": ", &value, b"\r\n"].concat());
            }
            request.extend_from_slice(b"\r\n");
            for (at, byte) in wrong {
                let at = at.index(request.len());
                request[at] = byte;
            }
            request
        })
    }

    #[test]
    fn what_is_right_is_told_from_what_is_not() {
        let request = |line: &str| {
            let headers = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
            let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
            is_handshake(format!("{line}\r\n{headers}{key}\r\n").as_bytes())
        };
        assert!(request("GET /ws/notifications/?since=e.1&dialect=rooms HTTP/1.1"));
        assert!(!request("GET /ws/notifications/?dialect=none HTTP/1.1"));
        assert!(!request("GET /ws/nothing/ HTTP/1.1"));
        assert!(!request("POST /ws/notifications/ HTTP/1.1"));
        assert!(!request("GET /ws/notifications/ HTTP/1.0"));
        let messages = |bytes: &[u8]| taken_in(true, [bytes]).0;
        assert_eq!(messages(b"\xC1\x87\0\0\0\0\xF2\x48\xCD\xC9\xC9\x07\0"), [Incoming::Text("Hello".into())]);
    }

    proptest! {
        #[test]
        fn a_stream_means_the_same_however_it_is_cut(bytes in stream(), first in any::<u8>()) {
            frames(&[&[first], &bytes[..]].concat());
            frames(&[&[first & 1], &bytes[..]].concat());
        }

        #[test]
        fn any_request_comes_to_something(bytes in request()) {
            handshake(&bytes);
        }

        #[test]
        fn any_bytes_come_to_something(bytes in prop::collection::vec(any::<u8>(), 0..1_000)) {
            frames(&bytes);
            handshake(&bytes);
        }
    }
}
