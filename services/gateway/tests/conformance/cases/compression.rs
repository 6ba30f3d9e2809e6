//! 12 and 13: permessage-deflate (RFC 7692) is not spoken. An offer is declined, and what is compressed all the same is refused.

use anyhow::ensure;

use super::{ANSWERED, SAID};
use crate::{
    peer::{Heard, Peer},
    script::{Case, Verdict},
    stage::{Stage, TEXTS},
    wire::{TEXT, close, frame, reserved},
};

const OFFERS: [(&str, &str, &str); 3] = [
    ("12.0.1", "an offer of permessage-deflate is declined", "permessage-deflate; client_max_window_bits"),
    (
        "12.0.2",
        "several offers are declined",
        "permessage-deflate; server_no_context_takeover, permessage-deflate; server_max_window_bits=8, x-webkit-deflate-frame",
    ),
    ("12.0.3", "an offer that is none is declined", "permessage-deflate; server_max_window_bits=99;;"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = OFFERS
        .into_iter()
        .map(|(number, text, offer)| Case::of(number, text, move |stage| declined(stage, offer)))
        .collect();
    cases.push(Case::of("13.0.1", "a compressed text after a declined offer: refused", |stage| {
        let mut peer = offering(stage, OFFERS[0].2)?;
        peer.send(&reserved(4, TEXT, b"\xF2\x48\xCD\xC9\xC9\x07\x00"));
        end(&mut peer, 1002)
    }));
    cases
}

fn declined(stage: &Stage, offer: &str) -> anyhow::Result<Verdict> {
    let mut peer = offering(stage, offer)?;
    peer.send(&frame(TEXT, SAID));
    ensure!(peer.next()? == Heard::Text(ANSWERED.into()), "another answer");
    peer.send(&close(1000, b""));
    end(&mut peer, 1000)
}

/// A client that offers, is let in, and has to do without.
fn offering(stage: &Stage, offer: &str) -> anyhow::Result<Peer> {
    let peer = Peer::connect(stage.address, TEXTS, &format!("Sec-WebSocket-Extensions: {offer}\r\n"))?;
    ensure!(!peer.head.contains("sec-websocket-extensions"), "{}", peer.head);
    Ok(peer)
}

fn end(peer: &mut Peer, code: u16) -> anyhow::Result<Verdict> {
    let end = [peer.next()?, peer.next()?];
    ensure!(end == [Heard::Close(code), Heard::End], "it ends with {end:?}");
    Ok(Verdict::Ok)
}
