//! 1: payloads of every form of length, in one go and in chops.

use super::text_of;
use crate::{
    peer::Heard,
    script::{Case, at, texts},
    stage::{BINARIES, not_json},
    wire::{BINARY, TEXT, frame},
};

const LENGTHS: [usize; 7] = [0, 125, 126, 127, 128, 65_535, 65_536];

/// Bytes of a chop.
const CHOP: usize = 997;

pub(super) fn cases() -> Vec<Case> {
    let chopped = |kind: &str| format!("{kind} of 65536 bytes, in chops of {CHOP} octets");
    let texts_of = LENGTHS.iter().zip(1..).map(|(&length, number)| text(number, length));
    let binaries = LENGTHS.iter().zip(1..).map(|(&length, number)| binary(number, length));
    let text_in_chops = Case::new("1.1.8", chopped("text"), || {
        let payload = text_of(65_536);
        texts().chop(frame(TEXT, &payload), CHOP).expect(Heard::Text(payload))
    });
    let binary_in_chops = Case::new("1.2.8", chopped("binary message"), || {
        let payload = vec![0xFE; 65_536];
        at(BINARIES).chop(frame(BINARY, &payload), CHOP).expect(Heard::Binary(payload))
    });
    texts_of.chain([text_in_chops]).chain(binaries).chain([binary_in_chops]).collect()
}

fn text(number: usize, length: usize) -> Case {
    Case::new(format!("1.1.{number}"), format!("text of {length} bytes"), move || match length {
        // It is no JSON, and is answered as such.
        0 => texts().send(frame(TEXT, b"")).expect(Heard::Text(not_json())),
        _ => texts().send(frame(TEXT, &text_of(length))).expect(Heard::Text(text_of(length))),
    })
}

fn binary(number: usize, length: usize) -> Case {
    Case::new(format!("1.2.{number}"), format!("binary message of {length} bytes"), move || {
        let payload = vec![0xFE; length];
        at(BINARIES).send(frame(BINARY, &payload)).expect(Heard::Binary(payload))
    })
}
