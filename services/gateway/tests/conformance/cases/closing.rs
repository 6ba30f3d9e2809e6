//! 7: the close handshake, its codes and reasons.

use super::{SAID, quoted, text_of};
use crate::{
    peer::Heard,
    script::{Case, Script, texts},
    wire::{CLOSE, PING, TEXT, close, frame, last, part},
};

const VALID: [u16; 13] = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999];
const INVALID: [u16; 9] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = orders();
    cases.extend(payloads());
    cases.extend((1..).zip(VALID).map(|(number, code): (usize, _)| {
        Case::new(format!("7.7.{number}"), format!("code {code}: answered with it"), move || {
            closing(&close(code, b"")).closed(code)
        })
    }));
    cases.extend((1..).zip(INVALID).map(|(number, code): (usize, _)| {
        Case::new(format!("7.9.{number}"), format!("code {code}: refused"), move || {
            closing(&close(code, b"")).closed(1002)
        })
    }));
    cases.extend([("7.13.1", 5000), ("7.13.2", 65_535)].map(|(number, code)| {
        let text = format!("code {code}, which nothing defines: refused");
        Case::new(number, text, move || closing(&close(code, b"")).closed(1002)).informational()
    }));
    cases
}

fn closing(frame: &[u8]) -> Script {
    texts().send(frame)
}

fn orders() -> Vec<Case> {
    let farewell = || close(1000, b"");
    vec![
        Case::new("7.1.1", "text, close: both are answered", move || {
            let text = quoted(b"Hello World!");
            texts().send(frame(TEXT, &text)).send(farewell()).expect(Heard::Text(text)).closed(1000)
        }),
        Case::new("7.1.2", "two close frames: one answer", move || {
            texts().send(farewell()).send(farewell()).closed(1000)
        }),
        Case::new("7.1.3", "close, ping: no pong", move || {
            texts().send(farewell()).send(frame(PING, b"")).closed(1000)
        }),
        Case::new("7.1.4", "close, text: no answer to that", move || {
            texts().send(farewell()).send(frame(TEXT, SAID)).closed(1000)
        }),
        Case::new("7.1.5", "first fragment, close, last fragment: no answer to the text", move || {
            let (first, second) = SAID.split_at(9);
            texts().send(part(TEXT, first)).send(farewell()).send(last(second)).closed(1000)
        }),
        Case::new(
            "7.1.6",
            "text of 256 KiB, text, close, ping: both texts are answered before the close",
            move || {
                let long = text_of(262_144);
                let script = texts().send(frame(TEXT, &long)).send(frame(TEXT, &quoted(b"Hello World!")));
                let script = script.send(farewell()).send(frame(PING, b"")).expect(Heard::Text(long));
                script.expect(Heard::Text(quoted(b"Hello World!"))).closed(1000)
            },
        )
        .informational(),
    ]
}

fn payloads() -> Vec<Case> {
    vec![
        Case::new("7.3.1", "close without payload: answered with 1000", || {
            closing(&frame(CLOSE, b"")).closed(1000)
        }),
        Case::new("7.3.2", "close with a payload of one byte: refused", || {
            closing(&frame(CLOSE, b"a")).closed(1002)
        }),
        Case::new("7.3.3", "close with a code", || closing(&close(1000, b"")).closed(1000)),
        Case::new("7.3.4", "close with a code and a reason", || {
            closing(&close(1000, b"Hello World!")).closed(1000)
        }),
        Case::new("7.3.5", "close with a reason of 123 bytes", || {
            closing(&close(1000, &[b'*'; 123])).closed(1000)
        }),
        Case::new("7.3.6", "close with a reason of 124 bytes: refused", || {
            closing(&close(1000, &[b'*'; 124])).closed(1002)
        }),
        Case::new("7.5.1", "close with a reason that is not UTF-8: refused", || {
            let reason = b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5\xED\xA0\x80edited";
            closing(&close(1000, reason)).closed(1007)
        }),
    ]
}
