//! Frames of clients that have been let in.

use std::{net::SocketAddr, sync::LazyLock};

use super::{Attack, Random, outlive};
use crate::{
    peer::Peer,
    stage::{BINARIES, TEXTS},
    wire::{
        BINARY, CLOSE, COMPRESSED, CONTINUATION, FINAL, MASK, PING, TEXT, compressed_in_parts, deflated,
        fragmented, frame, last, part, reserved,
    },
};

pub(super) const ATTACKS: [Attack; 16] = [
    Attack { name: "bytes at random in place of frames", run: bytes },
    Attack { name: "a header at random", run: header },
    Attack { name: "an oversized length", run: oversized },
    Attack { name: "a length that never comes", run: announced },
    Attack { name: "fragments of nothing", run: nothing },
    Attack { name: "fragments of one byte", run: fragments },
    Attack { name: "a flood of pings", run: pings },
    Attack { name: "a flood of messages whose answers nobody reads", run: messages },
    Attack { name: "a bomb", run: bomb },
    Attack { name: "a bomb in fragments", run: bomb_in_fragments },
    Attack { name: "what is not compressed, said to be", run: broken },
    Attack { name: "one byte at a time", run: dribbled },
    Attack { name: "a text that is not UTF-8 at its end", run: not_utf8 },
    Attack { name: "a close frame that is none", run: close },
    Attack { name: "JSON that is deep", run: deep },
    Attack { name: "a frame that is cut", run: cut },
];

/// 64 MiB of nothing much, in 64 KiB.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| deflated(&vec![b' '; 64 << 20]));

/// Somebody who has been let in, and may compress.
pub(super) fn peer(address: SocketAddr, path: &str) -> anyhow::Result<Peer> {
    Peer::connect(address, path, "Sec-WebSocket-Extensions: permessage-deflate\r\n")
}

/// Says this, which the gateway ends the connection for.
fn refused(mut peer: Peer, bytes: &[u8]) -> anyhow::Result<()> {
    peer.send(bytes);
    outlive(peer.into_stream())
}

/// Says this, and vanishes.
fn vanishes(mut peer: Peer, bytes: &[u8]) -> anyhow::Result<()> {
    peer.send(bytes);
    Ok(())
}

fn bytes(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    vanishes(peer(address, TEXTS)?, &random.bytes(4_000))
}

/// What is not masked is refused, whatever else it says.
fn header(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    refused(peer(address, TEXTS)?, &[random.byte(), random.byte() & 0x7F])
}

fn oversized(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let length = random.next() | 1 << 32;
    let firsts = [FINAL | TEXT, TEXT, FINAL | BINARY, COMPRESSED | TEXT, FINAL | COMPRESSED | TEXT];
    let header = [&[*random.pick(&firsts), 0xFF], &length.to_be_bytes()[..], &MASK].concat();
    refused(peer(address, TEXTS)?, &header)
}

fn announced(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let header = [&[FINAL | TEXT, 0xFF][..], &1_048_576_u64.to_be_bytes(), &MASK].concat();
    vanishes(peer(address, TEXTS)?, &[header, random.bytes(2_000)].concat())
}

fn nothing(_: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let fragments = part(CONTINUATION, b"").repeat(2_000);
    vanishes(peer(address, TEXTS)?, &[part(TEXT, b""), fragments, last(b"")].concat())
}

fn fragments(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let payload = vec![b'x'; 500 + random.below(2_000)];
    vanishes(peer(address, TEXTS)?, &fragmented(TEXT, &payload, 1))
}

fn pings(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    vanishes(peer(address, TEXTS)?, &frame(PING, &[random.byte(); 125]).repeat(400))
}

fn messages(_: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let message = format!("\"{}\"", "x".repeat(2_000));
    vanishes(peer(address, TEXTS)?, &frame(TEXT, message.as_bytes()).repeat(20))
}

fn bomb(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let (path, opcode) = *random.pick(&[(TEXTS, TEXT), (BINARIES, BINARY)]);
    refused(peer(address, path)?, &reserved(4, opcode, &BOMB))
}

fn bomb_in_fragments(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let size = 200 + random.below(4_000);
    refused(peer(address, TEXTS)?, &fragmented(COMPRESSED | TEXT, &BOMB, size))
}

fn broken(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let payload = [vec![0xFF], random.bytes(3_000)].concat();
    refused(peer(address, TEXTS)?, &reserved(4, TEXT, &payload))
}

fn dribbled(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let mut peer = peer(address, TEXTS)?;
    let message = vec![b'x'; 100 + random.below(200)];
    peer.chop(&compressed_in_parts(TEXT, &message, 3), 1);
    refused(peer, &reserved(7, TEXT, b""))
}

fn not_utf8(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let mut text = vec![b'x'; 20_000 + random.below(20_000)];
    text.extend_from_slice(b"\xED\xA0\x80");
    refused(peer(address, TEXTS)?, &frame(TEXT, &text))
}

fn close(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let payloads: [&[u8]; 7] =
        [b"\x03", b"\x00\x00", b"\x03\xED", b"\xFF\xFF", b"\x03\xE8\xFF", b"\x03\xE8", b""];
    let payload = *random.pick(&payloads);
    refused(peer(address, TEXTS)?, &frame(CLOSE, payload))
}

fn deep(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let open = *random.pick(&["[", "{\"a\":"]);
    vanishes(peer(address, TEXTS)?, &frame(TEXT, open.repeat(10_000).as_bytes()))
}

fn cut(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let frames = [frame(TEXT, &random.bytes(300)), fragmented(BINARY, &random.bytes(300), 50)].concat();
    let end = random.below(frames.len());
    vanishes(peer(address, TEXTS)?, &frames[..end])
}
