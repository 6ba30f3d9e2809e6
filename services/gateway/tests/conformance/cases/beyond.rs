//! A: what RFC 6455 demands, and Autobahn does not ask.

use super::{SAID, answered, text_of};
use crate::{
    peer::Heard,
    script::{Case, at, texts},
    stage::{BINARIES, LARGEST_BINARY, LARGEST_TEXT},
    wire::{BINARY, CLOSE, CONTINUATION, MASK, PING, TEXT, close, fragmented, frame, part},
};

pub(super) fn cases() -> Vec<Case> {
    let mut cases = headers();
    cases.extend(limits());
    cases.extend((1012..=1014).zip(10..).map(|(code, number)| {
        Case::new(
            format!("A.{number}"),
            format!("code {code}, registered since: answered with it"),
            move || texts().send(close(code, b"")).closed(code),
        )
    }));
    cases.push(Case::new("A.13", "code 1015, which is never sent: refused", || {
        texts().send(close(1015, b"")).closed(1002)
    }));
    cases.push(Case::new("A.14", "close between two fragments, octet by octet: answered", || {
        texts().chop([part(TEXT, b"{"), close(4321, "être".as_bytes())].concat(), 1).closed(4321)
    }));
    cases.push(Case::new("A.15", "300 pings in one chop: 300 pongs in their order", || {
        let payloads = (0..300).map(|number: u32| number.to_string().into_bytes());
        let pings: Vec<u8> = payloads.clone().flat_map(|payload| frame(PING, &payload)).collect();
        payloads.fold(texts().send(pings), |script, payload| script.expect(Heard::Pong(payload)))
    }));
    cases.push(Case::new("A.16", "text at an endpoint of binary messages: refused with 1003", || {
        at(BINARIES).send(frame(TEXT, SAID)).closed(1003)
    }));
    cases.push(Case::new(
        "A.17",
        "a text that the gateway answers itself, close, in one chop: both are answered",
        || texts().send([frame(TEXT, SAID), close(1000, b"")].concat()).expect(answered()).closed(1000),
    ));
    cases
}

fn headers() -> Vec<Case> {
    let unmasked = |opcode: u8| [0x80 | opcode, 2, 0x7B, 0x7D];
    vec![
        Case::new("A.1", "text that is not masked (section 5.1): refused", move || {
            texts().send(unmasked(TEXT)).closed(1002)
        }),
        Case::new("A.2", "ping that is not masked: refused", move || {
            texts().send(unmasked(PING)).closed(1002)
        }),
        Case::new("A.3", "close frame that is not masked: refused", move || {
            texts().send(unmasked(CLOSE)).closed(1002)
        }),
        Case::new("A.4", "a length whose most significant bit is set (section 5.2): refused", || {
            texts().send([0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1]).closed(1002)
        }),
        Case::new("A.5", "a mask of zeros", || {
            let payload = [&[0x81, 0x80 | 43, 0, 0, 0, 0][..], SAID].concat();
            assert_eq!(SAID.len(), 43);
            texts().send(payload).expect(answered())
        }),
        Case::new("A.6", "a length that is written longer than it need be: understood, as by others", || {
            let masked = SAID.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask);
            let header = [&[0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0, 43][..], &MASK].concat();
            texts().send(header.into_iter().chain(masked).collect::<Vec<u8>>()).expect(answered())
        }),
    ]
}

fn limits() -> Vec<Case> {
    vec![
        Case::new("A.7", "text of one byte more than the limit: refused with 1009 by its header", || {
            let length = (LARGEST_TEXT as u64 + 1).to_be_bytes();
            texts().send([&[0x81, 0xFF], &length[..]].concat()).closed(1009)
        }),
        Case::new(
            "A.8",
            "fragments of one byte more than the limit: refused with 1009 by the last one's header",
            || {
                let most = [part(TEXT, &text_of(LARGEST_TEXT)), vec![0x80, 0x81]].concat();
                texts().send(most).closed(1009)
            },
        ),
        Case::new("A.9", "binary message of the largest limit (2 MiB), in fragments, a ping within", || {
            let payload = vec![7; LARGEST_BINARY];
            let (first, rest) = payload.split_at(1_000_000);
            let ending = fragmented(CONTINUATION, rest, 70_000);
            let frames = [part(BINARY, first), frame(PING, b"within"), ending].concat();
            at(BINARIES).send(frames).expect(Heard::Pong(b"within".into())).expect(Heard::Binary(payload))
        }),
    ]
}
