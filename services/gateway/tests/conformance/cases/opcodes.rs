//! 4: reserved opcodes are refused; what was said before is answered.

use super::{SAID, answered};
use crate::{
    script::{Case, Way, texts},
    wire::{PING, TEXT, frame},
};

pub(super) fn cases() -> Vec<Case> {
    let of_kind = |kind: &'static str, group: usize, first: u8| {
        (0_u8..5).zip(1_usize..).map(move |(step, number)| {
            let opcode = first + step;
            let payload: &[u8] = if step % 2 == 0 { b"" } else { b"reserved opcode payload" };
            let has_payload = if payload.is_empty() { "without" } else { "with" };
            let frame_text = format!("reserved {kind} opcode {opcode} {has_payload} payload");
            case(format!("4.{group}.{number}"), frame_text, opcode, payload)
        })
    };
    of_kind("non-control", 1, 3).chain(of_kind("control", 2, 11)).collect()
}

fn case(number: String, text: String, opcode: u8, payload: &'static [u8]) -> Case {
    let way = match number.as_bytes().last() {
        Some(b'1' | b'2') => {
            return Case::new(number, format!("{text}: refused"), move || {
                texts().send(frame(opcode, payload)).closed(1002)
            });
        }
        Some(b'5') => Way::OctetByOctet,
        _ => Way::FrameByFrame,
    };
    let text = format!("text, {text}, ping, {}: the text is answered, then refused", way.as_str());
    Case::new(number, text, move || {
        let frames = [frame(TEXT, SAID), frame(opcode, payload), frame(PING, b"")];
        texts().frames(&frames, way).expect(answered()).tolerate(vec![]).closed(1002)
    })
}
