//! 9 and 10: long messages, whole, in fragments and in chops; many messages one after another.

use anyhow::ensure;

use super::text_of;
use crate::{
    peer::{Heard, Peer},
    script::{Case, Script, Verdict, at, texts},
    stage::{BINARIES, LARGEST_BINARY, LARGEST_TEXT, TEXTS},
    wire::{BINARY, TEXT, close, fragmented, frame},
};

const KIB: usize = 1_024;
const MIB: usize = 1_024 * KIB;

/// Messages of a round trip each.
const ROUNDS: usize = 1_000;

/// Either kind of message.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    path: &'static str,
    opcode: u8,
    largest: usize,
}

const TEXT_KIND: Kind = Kind { name: "text", path: TEXTS, opcode: TEXT, largest: LARGEST_TEXT };
const BINARY_KIND: Kind =
    Kind { name: "binary message", path: BINARIES, opcode: BINARY, largest: LARGEST_BINARY };

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (group, kind) in [(1, TEXT_KIND), (2, BINARY_KIND)] {
        let lengths = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
        cases.extend(
            (1..).zip(lengths).map(|(number, length)| whole(format!("9.{group}.{number}"), kind, length)),
        );
    }
    for (group, kind) in [(3, TEXT_KIND), (4, BINARY_KIND)] {
        let sizes = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
        cases.extend(
            (1..).zip(sizes).map(|(number, size)| in_fragments(format!("9.{group}.{number}"), kind, size)),
        );
    }
    for (group, kind) in [(5, TEXT_KIND), (6, BINARY_KIND)] {
        let sizes = [64, 128, 256, 512, 1_024, 2_048];
        cases.extend(
            (1..).zip(sizes).map(|(number, size)| in_chops(format!("9.{group}.{number}"), kind, size)),
        );
    }
    for (group, kind) in [(7, TEXT_KIND), (8, BINARY_KIND)] {
        let lengths = [0, 16, 64, 256, KIB, 4 * KIB];
        cases.extend(
            (1..).zip(lengths).map(|(number, length)| rounds(format!("9.{group}.{number}"), kind, length)),
        );
    }
    cases
}

pub(super) fn automatic() -> Vec<Case> {
    vec![Case::new("10.1.1", "text of 65536 bytes in fragments of 1300", || {
        let payload = text_of(65_536);
        texts().send(fragmented(TEXT, &payload, 1_300)).expect(Heard::Text(payload))
    })]
}

impl Kind {
    fn payload(self, length: usize) -> Vec<u8> {
        if self.opcode == TEXT { text_of(length) } else { vec![0xFE; length] }
    }

    fn echo(self, payload: Vec<u8>) -> Heard {
        if self.opcode == TEXT { Heard::Text(payload) } else { Heard::Binary(payload) }
    }

    /// A message that comes like this, and is answered with itself.
    fn echoed(self, length: usize, sent: impl FnOnce(Script, &[u8]) -> Script) -> Script {
        let payload = self.payload(length);
        sent(at(self.path), &payload).expect(self.echo(payload))
    }
}

fn whole(number: String, kind: Kind, length: usize) -> Case {
    let text = format!("{} of {} KiB", kind.name, length / KIB);
    if length <= kind.largest {
        return Case::new(number, text, move || {
            kind.echoed(length, |script, payload| script.send(frame(kind.opcode, payload)))
        });
    }
    let text = format!("{text}, above the largest frame limit: refused with 1009 by its header");
    Case::new(number, text, move || {
        let length = u64::try_from(length).expect("a length").to_be_bytes();
        at(kind.path).send([&[0x80 | kind.opcode, 0xFF], &length[..]].concat()).closed(1009)
    })
    .not_applicable()
}

fn in_fragments(number: String, kind: Kind, size: usize) -> Case {
    if size > MIB {
        let text = format!(
            "{} of 4 MiB in one fragment, above the largest frame limit: refused with 1009",
            kind.name
        );
        return Case { text, ..whole(number, kind, size) };
    }
    let text = format!("{} of 1 MiB (in place of 4) in fragments of {size} bytes", kind.name);
    Case::new(number, text, move || {
        kind.echoed(MIB, |script, payload| script.send(fragmented(kind.opcode, payload, size)))
    })
}

fn in_chops(number: String, kind: Kind, size: usize) -> Case {
    let text = format!("{} of 1 MiB in chops of {size} octets", kind.name);
    Case::new(number, text, move || {
        kind.echoed(MIB, |script, payload| script.chop(frame(kind.opcode, payload), size))
    })
}

/// Texts are answered by the gateway itself, binary messages by their owner.
fn rounds(number: String, kind: Kind, length: usize) -> Case {
    let text = format!("{ROUNDS} round trips of a {} that carries {length} bytes", kind.name);
    Case::of(number, text, move |stage| {
        let mut peer = Peer::connect(stage.address, kind.path, "")?;
        let (said, heard) = match kind.opcode {
            TEXT => (timed("ping", length), kind.echo(timed("pong", length))),
            _ => (kind.payload(length), kind.echo(kind.payload(length))),
        };
        let said = frame(kind.opcode, &said);
        for round in 0..ROUNDS {
            peer.send(&said);
            let next = peer.next()?;
            ensure!(next == heard, "another answer in round {round}");
        }
        peer.send(&close(1000, b""));
        ensure!(peer.next()? == Heard::Close(1000) && peer.next()? == Heard::End, "it ends otherwise");
        Ok(Verdict::Ok)
    })
}

/// A ping of the gateway's own, or its pong, of about this length.
fn timed(kind: &str, length: usize) -> Vec<u8> {
    format!("{{\"type\":\"{kind}\",\"timestamp\":\"{}\"}}", "*".repeat(length)).into_bytes()
}
