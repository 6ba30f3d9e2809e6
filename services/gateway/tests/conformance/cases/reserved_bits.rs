//! 3: no extension is in use, so a frame with a reserved bit is refused; what was said before it is answered.

use super::{SAID, answered};
use crate::{
    script::{Case, Way, at, texts},
    stage::BINARIES,
    wire::{BINARY, CLOSE, PING, TEXT, frame, reserved},
};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new("3.1", "text with RSV = 1: refused", || texts().send(reserved(1, TEXT, SAID)).closed(1002)),
        second("3.2", 2, Way::FrameByFrame),
        second("3.3", 3, Way::OneChop),
        second("3.4", 4, Way::OctetByOctet),
        Case::new("3.5", "binary message with RSV = 5: refused", || {
            at(BINARIES).send(reserved(5, BINARY, &[0xFF; 8])).closed(1002)
        }),
        Case::new("3.6", "ping with RSV = 6: refused", || {
            texts().send(reserved(6, PING, b"Hello, world!")).closed(1002)
        }),
        Case::new("3.7", "close frame with RSV = 7: refused", || {
            texts().send(reserved(7, CLOSE, b"\x03\xE8")).closed(1002)
        }),
    ]
}

fn second(number: &str, bits: u8, way: Way) -> Case {
    let text = format!(
        "text, text with RSV = {bits}, ping, {}: the first is answered, the second refused",
        way.as_str()
    );
    Case::new(number, text, move || {
        let frames = [frame(TEXT, SAID), reserved(bits, TEXT, SAID), frame(PING, b"")];
        texts().frames(&frames, way).expect(answered()).tolerate(vec![]).closed(1002)
    })
}
