//! Every case, by group.

mod beyond;
mod closing;
mod compression;
mod fragmentation;
mod framing;
mod limits;
mod opcodes;
mod pings;
mod reserved_bits;
mod utf8;

use crate::{
    peer::Heard,
    script::{Case, Group},
};

/// Said and answered by the gateway itself, at once. What an owner answers comes when it comes: where the protocol
/// is broken meanwhile, nobody waits for it.
const SAID: &[u8] = b"{\"type\":\"ping\",\"timestamp\":\"Hello, world!\"}";
const ANSWERED: &[u8] = b"{\"type\":\"pong\",\"timestamp\":\"Hello, world!\"}";

pub(crate) fn groups() -> Vec<Group> {
    let group = |name, cases: Vec<Case>| Group { name, cases };
    vec![
        group("1 Framing", framing::cases()),
        group("2 Pings and pongs", pings::cases()),
        group("3 Reserved bits", reserved_bits::cases()),
        group("4 Opcodes", opcodes::cases()),
        group("5 Fragmentation", fragmentation::cases()),
        group("6 UTF-8 handling", utf8::cases()),
        group("7 Close handshake", closing::cases()),
        group("9 Limits and performance", limits::cases()),
        group("10 Auto-fragmentation", limits::automatic()),
        group("12 Compression, by payload", compression::by_payload()),
        group("13 Compression, by offer", compression::by_offer()),
        group("A Beyond Autobahn", beyond::cases()),
        group("B Beyond Autobahn: compression", compression::beyond::cases()),
    ]
}

/// A JSON text of so many bytes, which its owner answers with itself; no shorter than its quotes.
fn text_of(length: usize) -> Vec<u8> {
    quoted(&vec![b'*'; length.saturating_sub(2)])
}

fn quoted(text: &[u8]) -> Vec<u8> {
    [b"\"", text, b"\""].concat()
}

fn answered() -> Heard {
    Heard::Text(ANSWERED.into())
}
