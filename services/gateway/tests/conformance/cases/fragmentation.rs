//! 5: messages in fragments, with control frames between them, and fragments that belong to nothing.

use super::{ANSWERED, SAID, answered};
use crate::{
    peer::Heard,
    script::{Case, Script, Way, texts},
    wire::{CONTINUATION, PING, PONG, TEXT, frame, last, part},
};

const WAYS: [Way; 3] = [Way::OneChop, Way::FrameByFrame, Way::OctetByOctet];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("5.1", "ping in 2 fragments: refused", || {
            texts().send(part(PING, b"fragment1")).send(last(b"fragment2")).closed(1002)
        }),
        Case::new("5.2", "pong in 2 fragments: refused", || {
            texts().send(part(PONG, b"fragment1")).send(last(b"fragment2")).closed(1002)
        }),
    ];
    cases.extend(in_each_way(3, "text in 2 fragments", |way| {
        texts().frames(&halves(&[]), way).expect(answered())
    }));
    cases.extend(in_each_way(6, "text in 2 fragments, a ping between them", |way| {
        let script = texts().frames(&halves(&[frame(PING, b"ping payload")]), way);
        script.expect(Heard::Pong(b"ping payload".into())).expect(answered())
    }));
    cases.extend(in_each_way(9, "last continuation of nothing, then a text: refused", |way| {
        texts().frames(&[last(b"nothing before"), frame(TEXT, SAID)], way).closed(1002)
    }));
    cases.extend(in_each_way(12, "continuation of nothing, then a text: refused", |way| {
        texts().frames(&[part(CONTINUATION, b"nothing before"), frame(TEXT, SAID)], way).closed(1002)
    }));
    cases.extend([
        Case::new("5.15", "text in 2 fragments, continuation of nothing, text, in one chop: the first is answered, then refused", || {
            let after = [part(CONTINUATION, b"fragment3"), frame(TEXT, b"fragment4")];
            let frames = [&halves(&[])[..], &after].concat();
            texts().frames(&frames, Way::OneChop).expect(answered()).tolerate(vec![]).closed(1002)
        }),
        twice("5.16", "continuation", part(CONTINUATION, b"fragment1")),
        twice("5.17", "last continuation", last(b"fragment1")),
        Case::new("5.18", "text in 2 fragments, both of them of opcode text: refused", || {
            texts().send([part(TEXT, b"fragment1"), frame(TEXT, b"fragment2")].concat()).closed(1002)
        }),
        Case::new("5.19", "text in 5 fragments, pings after the second and the fourth, one pong is awaited", || five(Way::OneChop)),
        Case::new("5.20", "the same, frame by frame", || five(Way::FrameByFrame)),
    ]);
    cases
}

/// A text in two fragments, and what comes between them.
fn halves(between: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let (first, second) = SAID.split_at(SAID.len() / 2);
    [&[part(TEXT, first)], between, &[last(second)]].concat()
}

fn in_each_way(first: usize, text: &str, script: fn(Way) -> Script) -> impl Iterator<Item = Case> {
    let text = text.to_owned();
    (first..).zip(WAYS).map(move |(number, way)| {
        Case::new(format!("5.{number}"), format!("{text}, {}", way.as_str()), move || script(way))
    })
}

fn twice(number: &str, kind: &str, nothing_before: Vec<u8>) -> Case {
    Case::new(number, format!("twice: {kind} of nothing, then text in 2 fragments: refused"), move || {
        let once = [&[nothing_before][..], &halves(&[])].concat();
        texts().frames(&once, Way::FrameByFrame).frames(&once, Way::FrameByFrame).closed(1002)
    })
}

fn five(way: Way) -> Script {
    let parts: Vec<&[u8]> = SAID.chunks(SAID.len().div_ceil(5)).collect();
    let before = [part(TEXT, parts[0]), part(CONTINUATION, parts[1]), frame(PING, b"pongme 1!")];
    let after = [
        part(CONTINUATION, parts[2]),
        part(CONTINUATION, parts[3]),
        frame(PING, b"pongme 2!"),
        last(parts[4]),
    ];
    let script = texts().frames(&before, way).hear(1).frames(&after, way);
    let script = script.expect(Heard::Pong(b"pongme 1!".into())).expect(Heard::Pong(b"pongme 2!".into()));
    script.expect(Heard::Text(ANSWERED.into()))
}
