//! 2: pings are answered with what they carry, in order; pongs with nothing.

use crate::{
    peer::Heard,
    script::{Case, Way, texts},
    wire::{PING, PONG, frame},
};

pub(super) fn cases() -> Vec<Case> {
    let answered = |number: &str, text: &str, payload: &'static [u8]| {
        Case::new(number, text, move || {
            texts().send(frame(PING, payload)).expect(Heard::Pong(payload.into()))
        })
    };
    vec![
        answered("2.1", "ping without payload", b""),
        answered("2.2", "ping with a text", b"Hello, world!"),
        answered("2.3", "ping with bytes that are no text", b"\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF"),
        answered("2.4", "ping of 125 bytes", &[0xFE; 125]),
        Case::new("2.5", "ping of 126 bytes: refused", || {
            texts().send(frame(PING, &[0xFE; 126])).closed(1002)
        }),
        Case::new("2.6", "ping of 125 bytes, in octet-wise chops", || {
            texts().chop(frame(PING, &[0xFE; 125]), 1).expect(Heard::Pong(vec![0xFE; 125]))
        }),
        Case::new("2.7", "unsolicited pong without payload: nothing is heard", || {
            texts().send(frame(PONG, b""))
        }),
        Case::new("2.8", "unsolicited pong with payload: nothing is heard", || {
            texts().send(frame(PONG, b"unsolicited"))
        }),
        Case::new("2.9", "unsolicited pong, then a ping: only that is answered", || {
            let script = texts().send(frame(PONG, b"unsolicited")).send(frame(PING, b"ping"));
            script.expect(Heard::Pong(b"ping".into()))
        }),
        ten("2.10", Way::FrameByFrame),
        ten("2.11", Way::OctetByOctet),
    ]
}

fn ten(number: &str, way: Way) -> Case {
    Case::new(number, format!("ten pings, {}: ten pongs in their order", way.as_str()), move || {
        let payloads = (0..10).map(|number| format!("payload-{number}").into_bytes());
        let pings: Vec<Vec<u8>> = payloads.clone().map(|payload| frame(PING, &payload)).collect();
        payloads.fold(texts().frames(&pings, way), |script, payload| script.expect(Heard::Pong(payload)))
    })
}
