//! 6: texts that are UTF-8 and texts that are not, which are refused at their first wrong byte.

mod tables;

use super::quoted;
use crate::{
    peer::Heard,
    script::{Case, Script, texts},
    stage::not_json,
    wire::{CONTINUATION, PING, TEXT, fragmented, frame, last, part},
};
use tables::Table;

/// A word of characters of two and three bytes.
const KOSME: &[u8] = b"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5";

/// A surrogate, which has no place in UTF-8.
const SURROGATE: &[u8] = b"\xED\xA0\x80";

/// How U+110000 would be written: wrong from its second byte on.
const BEYOND: &[u8] = b"\xF4\x90\x80\x80";

const EDITED: &[u8] = b"edited";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = beginnings();
    cases.extend(early());
    for (group, Table { name, sequences, valid }) in (5_usize..).zip(tables::tables()) {
        cases.extend((1_usize..).zip(sequences).map(|(number, sequence)| {
            let is_valid = std::str::from_utf8(&sequence).is_ok();
            assert_eq!(is_valid, valid.has(number), "6.{group}.{number}");
            let shown: String = sequence.iter().map(|byte| format!("{byte:02x}")).collect();
            let outcome = if is_valid { "" } else { ": refused" };
            let text = format!("{name} (0x{}){outcome}", shortened(&shown));
            Case::new(format!("6.{group}.{number}"), text, move || {
                if is_valid { said(&sequence) } else { texts().send(frame(TEXT, &sequence)).closed(1007) }
            })
        }));
    }
    cases
}

fn beginnings() -> Vec<Case> {
    let mixed = || quoted("Hello-µ@ßöäüàá-UTF-8!!".as_bytes());
    let wrong = || [KOSME, SURROGATE, EDITED].concat();
    vec![
        Case::new("6.1.1", "text of no bytes", || {
            texts().send(frame(TEXT, b"")).expect(Heard::Text(not_json()))
        }),
        Case::new("6.1.2", "text in 3 fragments of no bytes", || {
            let script = texts().send(part(TEXT, b"")).send(part(CONTINUATION, b"")).send(last(b""));
            script.expect(Heard::Text(not_json()))
        }),
        Case::new("6.1.3", "text in 3 fragments, the first and the last of no bytes", || {
            let middle = quoted(b"middle frame payload");
            let script = texts().send(part(TEXT, b"")).send(part(CONTINUATION, &middle)).send(last(b""));
            script.expect(Heard::Text(middle))
        }),
        Case::new("6.2.1", "UTF-8 in one fragment", move || {
            texts().send(frame(TEXT, &mixed())).expect(Heard::Text(mixed()))
        }),
        Case::new("6.2.2", "UTF-8 in 2 fragments, cut between two characters", || {
            let (first, second) = ("\"Hello-µ@ßöä".as_bytes(), "üàá-UTF-8!!\"".as_bytes());
            let script = texts().send(part(TEXT, first)).send(last(second));
            script.expect(Heard::Text([first, second].concat()))
        }),
        Case::new("6.2.3", "UTF-8 in fragments of one octet", move || {
            texts().send(fragmented(TEXT, &mixed(), 1)).expect(Heard::Text(mixed()))
        }),
        Case::new("6.2.4", "a word of longer characters in fragments of one octet", || {
            texts().send(fragmented(TEXT, &quoted(KOSME), 1)).expect(Heard::Text(quoted(KOSME)))
        }),
        Case::new("6.3.1", "a surrogate in one fragment: refused", move || {
            texts().send(frame(TEXT, &wrong())).closed(1007)
        }),
        Case::new("6.3.2", "a surrogate in fragments of one octet: refused", move || {
            texts().chop(fragmented(TEXT, &wrong(), 1), 7).closed(1007)
        }),
    ]
}

/// What can't become UTF-8 any more is refused before it is whole.
fn early() -> Vec<Case> {
    vec![
        Case::new(
            "6.4.1",
            "text in 3 fragments, the second of which is wrong: refused before the third",
            || in_fragments(BEYOND, EDITED),
        ),
        Case::new("6.4.2", "the same, the second of which ends with the wrong byte", || {
            in_fragments(&BEYOND[..2], &[&BEYOND[2..], EDITED].concat())
        }),
        Case::new(
            "6.4.3",
            "text in one frame of 3 chops, the second of which is wrong: refused before the third",
            || in_chops(KOSME.len() + BEYOND.len()),
        ),
        Case::new("6.4.4", "the same, the second of which ends with the wrong byte", || {
            in_chops(KOSME.len() + 2)
        }),
    ]
}

/// In place of Autobahn's wait a ping shows that the first part was taken in.
fn in_fragments(second: &[u8], third: &[u8]) -> Script {
    let first = [part(TEXT, KOSME), frame(PING, b"")].concat();
    let script = texts().send(first).hear(1).send(part(CONTINUATION, second)).refused();
    script.send(last(third)).expect(Heard::Pong(vec![])).closed(1007)
}

fn in_chops(second_end: usize) -> Script {
    let frame = frame(TEXT, &[KOSME, BEYOND, EDITED].concat());
    let header = frame.len() - (KOSME.len() + BEYOND.len() + EDITED.len());
    let (first, rest) = frame.split_at(header + KOSME.len());
    let (second, third) = rest.split_at(second_end - KOSME.len());
    texts().send(first).send(second).refused().send(third).closed(1007)
}

/// It is answered with itself, if it can stand in JSON.
fn said(sequence: &[u8]) -> Script {
    if sequence.contains(&0) {
        return texts().send(frame(TEXT, sequence)).expect(Heard::Text(not_json()));
    }
    texts().send(frame(TEXT, &quoted(sequence))).expect(Heard::Text(quoted(sequence)))
}

fn shortened(hexadecimal: &str) -> String {
    match hexadecimal.get(..40) {
        Some(start) if hexadecimal.len() > 40 => format!("{start}…"),
        _ => hexadecimal.to_owned(),
    }
}
