//! 12 and 13: messages that are compressed either way (RFC 7692), of different kinds and lengths, and by different offers.

pub(super) mod beyond;
mod payloads;

use anyhow::ensure;

use crate::{
    peer::Peer,
    script::{Case, Verdict, shown},
    stage::Stage,
    wire::{close, compressed, compressed_in_parts},
};
use payloads::{KINDS, Kind};

use super::Heard;

/// What Autobahn offers where a case is about something else.
const OFFER: &str = "permessage-deflate; client_no_context_takeover; client_max_window_bits";

/// Lengths of messages, and of the fragments in which they are sent; 0: in one.
const SIZES: [(usize, usize); 18] = [
    (16, 0),
    (64, 0),
    (256, 0),
    (1_024, 0),
    (4_096, 0),
    (8_192, 0),
    (16_384, 0),
    (32_768, 0),
    (65_536, 0),
    (131_072, 0),
    (8_192, 256),
    (16_384, 256),
    (32_768, 256),
    (65_536, 256),
    (131_072, 256),
    (131_072, 1_024),
    (131_072, 4_096),
    (131_072, 32_768),
];

/// Whether the server may use its context again, its window, and what is offered.
const OFFERS: [(&str, &str); 7] = [
    ("[(False, 0)]", OFFER),
    (
        "[(True, 0)]",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover",
    ),
    (
        "[(False, 9)]",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_max_window_bits=9",
    ),
    (
        "[(False, 15)]",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_max_window_bits=15",
    ),
    (
        "[(True, 9)]",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover; server_max_window_bits=9",
    ),
    (
        "[(True, 15)]",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover; server_max_window_bits=15",
    ),
    (
        "[(True, 9), (True, 0), (False, 0)]",
        "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover; server_max_window_bits=9, \
         permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover, \
         permessage-deflate; client_no_context_takeover; client_max_window_bits",
    ),
];

/// Bytes from which on the gateway compresses.
const WORTH_IT: usize = 512;

pub(super) fn by_payload() -> Vec<Case> {
    let of_kind = |(group, kind): (usize, Kind)| {
        (1..).zip(SIZES).map(move |(number, size)| {
            Case::of(format!("12.{group}.{number}"), text(size, kind.name), move |stage| {
                exchange(stage, kind, OFFER, size)
            })
        })
    };
    (1..).zip(KINDS).flat_map(of_kind).collect()
}

pub(super) fn by_offer() -> Vec<Case> {
    let of_offer = |(group, (shown, offer)): (usize, (&'static str, &'static str))| {
        (1..).zip(SIZES).map(move |(number, size)| {
            let text = text(size, &format!("JSON, offered: {shown}"));
            Case::of(format!("13.{group}.{number}"), text, move |stage| {
                exchange(stage, KINDS[0], offer, size)
            })
        })
    };
    (1..).zip(OFFERS).flat_map(of_offer).collect()
}

fn text((length, part): (usize, usize), of: &str) -> String {
    let count = count(length);
    match part {
        0 => format!("{count} messages of {length} bytes of {of}"),
        _ => format!("{count} messages of {length} bytes of {of}, in fragments of {part}"),
    }
}

/// 20 messages, or 2 of the longest, in place of 1,000.
fn count(length: usize) -> usize {
    (65_536 / length).clamp(2, 20)
}

/// Messages that are compressed, each answered with itself; compressed too, if it is worth that.
fn exchange(
    stage: &Stage,
    kind: Kind,
    offer: &str,
    (length, part): (usize, usize),
) -> anyhow::Result<Verdict> {
    let mut peer = Peer::agreeing(stage, kind.path, offer)?;
    for number in 0..count(length) {
        let payload = (kind.payload)(length, number);
        ensure!(payload.len() == length, "a message of {} bytes", payload.len());
        let frames = match part {
            0 => compressed(kind.opcode, &payload),
            _ => compressed_in_parts(kind.opcode, &payload, part),
        };
        let (before, expected) = (peer.compressed, kind.echo(payload));
        peer.send(&frames);
        let heard = peer.next()?;
        ensure!(heard == expected, "another answer to message {number}: {}", shown(&[heard]));
        let is_worth_it = length >= WORTH_IT && kind.is_compressible;
        ensure!((peer.compressed > before) == is_worth_it, "answer {number} is compressed: {}", !is_worth_it);
    }
    peer.send(&close(1000, b""));
    ensure!(peer.next()? == Heard::Close(1000) && peer.next()? == Heard::End, "it ends otherwise");
    Ok(Verdict::Ok)
}
