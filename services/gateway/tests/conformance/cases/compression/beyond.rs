//! B: what RFC 7692 demands, and Autobahn does not ask.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use anyhow::ensure;

use super::OFFER;
use crate::{
    cases::{ANSWERED, SAID, answered, quoted, text_of},
    peer::{Heard, Peer},
    script::{Case, Script, Verdict, at, texts},
    stage::{BINARIES, LARGEST_TEXT, Stage, TEXTS, not_json},
    wire::{
        BINARY, COMPRESSED, CONTINUATION, PING, TEXT, close, compressed, compressed_in_parts, deflated,
        frame, last, part, reserved,
    },
};

/// Offers, and what is answered by the gateway that compresses; `None`: nothing.
const OFFERS: [(&str, Option<&str>); 12] = [
    ("permessage-deflate", Some("")),
    ("permessage-deflate; client_max_window_bits=8", Some("")),
    ("permessage-deflate; server_max_window_bits=\"12\"", Some("; server_max_window_bits=12")),
    ("permessage-deflate; server_max_window_bits=8", None),
    ("permessage-deflate; server_max_window_bits=8, permessage-deflate", Some("")),
    ("permessage-deflate; server_max_window_bits", None),
    ("permessage-deflate; server_max_window_bits=16", None),
    ("permessage-deflate; client_max_window_bits=7", None),
    ("permessage-deflate; server_no_context_takeover=true", None),
    ("permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
    ("permessage-deflate; unknown, x-webkit-deflate-frame", None),
    (
        "x-other; a=\"b\", , permessage-deflate; server_max_window_bits=10",
        Some("; server_max_window_bits=10"),
    ),
];

const MALFORMED: [&str; 4] = [
    "permessage-deflate; server_max_window_bits=99;;",
    "permessage-deflate; server_max_window_bits=\"1 5\"",
    "permessage-deflate permessage-deflate",
    ",",
];

/// "Hello", compressed, of the specification's examples (section 7.2.3).
const HELLO: &[u8] = b"\xF2\x48\xCD\xC9\xC9\x07\x00";

pub(in crate::cases) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(OFFERS.map(|(offer, answer)| offered(offer, answer)));
    cases.extend(MALFORMED.map(malformed));
    cases.push(Case::of("", "an offer to a gateway that does not compress: declined", |stage| {
        negotiated(stage.address, OFFER, None)
    }));
    cases.push(Case::of("", "a compressed text after a declined offer: refused", compressed_all_the_same));
    cases.extend(frames());
    cases.extend(contents());
    cases.extend(sizes());
    for (number, case) in (1..).zip(&mut cases) {
        case.number = format!("B.{number}");
    }
    cases
}

fn offered(offer: &'static str, answer: Option<&'static str>) -> Case {
    let outcome = match answer {
        None => "declined".to_owned(),
        Some(more) => format!("accepted, without context takeover{more}"),
    };
    Case::of("", format!("`{offer}`: {outcome}"), move |stage| negotiated(stage.compressing, offer, answer))
}

/// Answered so, and then spoken to.
fn negotiated(address: SocketAddr, offer: &str, answer: Option<&str>) -> anyhow::Result<Verdict> {
    let mut peer = Peer::connect(address, TEXTS, &format!("Sec-WebSocket-Extensions: {offer}\r\n"))?;
    let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    let found = peer.head.lines().find_map(|line| line.strip_prefix("sec-websocket-extensions: "));
    ensure!(found == answer.map(|more| format!("{agreed}{more}")).as_deref(), "{}", peer.head);
    peer.send(&frame(TEXT, SAID));
    ensure!(peer.next()? == Heard::Text(ANSWERED.into()), "another answer");
    let long = text_of(5_000);
    peer.send(&frame(TEXT, &long));
    ensure!(peer.next()? == Heard::Text(long), "another answer to a long text");
    ensure!(peer.compressed == usize::from(answer.is_some()), "{} were compressed", peer.compressed);
    peer.send(&close(1000, b""));
    ended(&mut peer, 1000)
}

fn malformed(offer: &'static str) -> Case {
    Case::of(
        "",
        format!("`{offer}`, which is no list of extensions: the handshake is refused with 400"),
        move |stage| {
            let mut stream = TcpStream::connect(stage.compressing)?;
            write!(
                stream,
                "GET {TEXTS} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: {offer}\r\n\r\n"
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            ensure!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
            Ok(Verdict::Ok)
        },
    )
}

fn compressed_all_the_same(stage: &Stage) -> anyhow::Result<Verdict> {
    let mut peer = Peer::connect(stage.address, TEXTS, &format!("Sec-WebSocket-Extensions: {OFFER}\r\n"))?;
    peer.send(&reserved(4, TEXT, HELLO));
    ended(&mut peer, 1002)
}

fn ended(peer: &mut Peer, code: u16) -> anyhow::Result<Verdict> {
    let end = [peer.next()?, peer.next()?];
    ensure!(end == [Heard::Close(code), Heard::End], "it ends with {end:?}");
    Ok(Verdict::Ok)
}

fn agreed() -> Script {
    texts().offering(OFFER)
}

fn case(text: &str, script: impl FnOnce() -> Script + Send + 'static) -> Case {
    Case::new("", text, script)
}

/// Where the bit may stand.
fn frames() -> Vec<Case> {
    let pong = |payload: &[u8]| Heard::Pong(payload.into());
    vec![
        case("a text that is not compressed: answered", || {
            agreed().send(frame(TEXT, SAID)).expect(answered())
        }),
        case("a compressed text in octet-wise chops: answered", || {
            agreed().chop(compressed(TEXT, SAID), 1).expect(answered())
        }),
        case("a compressed text in fragments of one byte, a ping between them: both answered", move || {
            let frames = compressed_in_parts(TEXT, SAID, 1);
            let ping = frame(PING, b"within");
            let (first, rest) = frames.split_at(7);
            agreed().send([first, &ping, rest].concat()).expect(pong(b"within")).expect(answered())
        }),
        case("a compressed text with fragments of no bytes: answered", || {
            let parts = [part(COMPRESSED | TEXT, b""), part(CONTINUATION, &deflated(SAID)), last(b"")];
            agreed().send(parts.concat()).expect(answered())
        }),
        case("texts, by turns compressed and not: each is answered", || {
            let once = [compressed(TEXT, SAID), frame(TEXT, SAID)].concat();
            (0..6).fold(agreed().send(once.repeat(3)), |script, _| script.expect(answered()))
        }),
        case("RSV1 in a continuation: refused with 1002", || {
            agreed()
                .send([part(COMPRESSED | TEXT, HELLO), reserved(4, CONTINUATION, b"\x00")].concat())
                .closed(1002)
        }),
        case("RSV1 in the continuation of a text that is not compressed: refused with 1002", || {
            agreed().send([part(TEXT, b"{"), reserved(4, CONTINUATION, b"}")].concat()).closed(1002)
        }),
        case("RSV1 in a ping: refused with 1002", || agreed().send(reserved(4, PING, b"")).closed(1002)),
        case("RSV1 in a ping between fragments: refused with 1002", || {
            agreed().send([part(COMPRESSED | TEXT, HELLO), reserved(4, PING, b"")].concat()).closed(1002)
        }),
        case("RSV1 in a close frame: refused with 1002", || {
            agreed().send(reserved(4, 8, b"\x03\xE8")).closed(1002)
        }),
        case("RSV1 and RSV2: refused with 1002", || agreed().send(reserved(6, TEXT, HELLO)).closed(1002)),
        case("RSV2 alone: refused with 1002", || agreed().send(reserved(2, TEXT, SAID)).closed(1002)),
    ]
}

/// What is in a compressed message.
fn contents() -> Vec<Case> {
    let raw = |payload: &'static [u8]| reserved(4, BINARY, payload);
    let hello = move |text: &str, payload: &'static [u8]| {
        case(text, move || {
            at(BINARIES).offering(OFFER).send(raw(payload)).expect(Heard::Binary(b"Hello".into()))
        })
    };
    let broken = move |text: &str, payload: &'static [u8]| {
        case(text, move || at(BINARIES).offering(OFFER).send(raw(payload)).closed(1007))
    };
    vec![
        hello("one block (section 7.2.3.1)", HELLO),
        hello("a block that is not compressed (7.2.3.3)", b"\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00"),
        hello("a block that says it is the last (7.2.3.4)", b"\xF3\x48\xCD\xC9\xC9\x07\x00\x00"),
        hello("the same without the octet that completes it", b"\xF3\x48\xCD\xC9\xC9\x07\x00"),
        hello("two blocks (7.2.3.5)", b"\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"),
        case("an empty message (7.2.3.6)", move || {
            at(BINARIES).offering(OFFER).send(raw(b"\x00")).expect(Heard::Binary(vec![]))
        }),
        case("an empty text", || agreed().send(reserved(4, TEXT, b"\x00")).expect(Heard::Text(not_json()))),
        case("UTF-8 that is cut by fragments: answered", || {
            let text = quoted("Hello-µ@ßöäüàá-UTF-8!!".as_bytes());
            agreed().send(compressed_in_parts(TEXT, &text, 1)).expect(Heard::Text(text))
        }),
        case("a text that is not UTF-8, once it is inflated: refused with 1007", || {
            agreed().send(compressed(TEXT, b"\"\xED\xA0\x80\"")).closed(1007)
        }),
        case("the same in fragments: refused with 1007", || {
            agreed().send(compressed_in_parts(TEXT, b"\"\xED\xA0\x80\"", 2)).closed(1007)
        }),
        case("a binary message that is not UTF-8: answered", || {
            let payload = vec![0xFF; 1_000];
            at(BINARIES).offering(OFFER).send(compressed(BINARY, &payload)).expect(Heard::Binary(payload))
        }),
        broken("bytes that no compressor makes: refused with 1007", b"\xFF\xFF\xFF"),
        broken("a message that is cut short: refused with 1007", b"\xF2\x48\xCD\xC9"),
        broken("one that refers to the message before it: refused with 1007", b"\xF2\x00\x11\x00\x00"),
    ]
}

/// How much is in one.
fn sizes() -> Vec<Case> {
    vec![
        case("a compressed text of the largest size: answered, compressed", || {
            let text = text_of(LARGEST_TEXT);
            agreed().send(compressed(TEXT, &text)).expect(Heard::Text(text))
        }),
        case("a compressed text of one byte more: refused with 1009", || {
            agreed().send(compressed(TEXT, &text_of(LARGEST_TEXT + 1))).closed(1009)
        }),
        case("a bomb, 64 MiB in 64 KiB: refused with 1009", || {
            agreed().send(compressed(TEXT, &vec![b' '; 64 << 20])).closed(1009)
        }),
        case("the same in fragments of 1 KiB: refused with 1009", || {
            agreed().send(compressed_in_parts(TEXT, &vec![b' '; 64 << 20], 1_024)).closed(1009)
        }),
        case("a text of the largest size that can't be made smaller: answered", || {
            let stored: Vec<u8> = stored(&text_of(LARGEST_TEXT));
            agreed().send(reserved(4, TEXT, &stored)).expect(Heard::Text(text_of(LARGEST_TEXT)))
        }),
        case(
            "a length that no compressed message of the largest size has: refused with 1009 by its header",
            || {
                let length = (LARGEST_TEXT as u64 * 2).to_be_bytes();
                agreed().send([&[0xC1, 0xFF], &length[..]].concat()).closed(1009)
            },
        ),
    ]
}

/// Blocks that are not compressed, as few bytes in each as makes them a little more in all.
fn stored(payload: &[u8]) -> Vec<u8> {
    let block = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).expect("short");
        [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat()
    };
    let mut message: Vec<u8> = payload.chunks(100).flat_map(block).collect();
    message.push(0);
    message
}
