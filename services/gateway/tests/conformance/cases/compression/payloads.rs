//! What is sent compressed: things of the kinds that Autobahn has, made here.

use crate::{
    peer::Heard,
    stage::{BINARIES, TEXTS},
    wire::{BINARY, TEXT},
};

#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) opcode: u8,
    pub(super) is_compressible: bool,
    /// The message of this length and number.
    pub(super) payload: fn(usize, usize) -> Vec<u8>,
}

pub(super) const KINDS: [Kind; 5] = [
    Kind { name: "JSON", path: TEXTS, opcode: TEXT, is_compressible: true, payload: json },
    Kind { name: "a picture", path: BINARIES, opcode: BINARY, is_compressible: true, payload: picture },
    Kind { name: "human language", path: BINARIES, opcode: BINARY, is_compressible: true, payload: language },
    Kind { name: "HTML", path: TEXTS, opcode: TEXT, is_compressible: true, payload: html },
    Kind {
        name: "what is compressed already",
        path: BINARIES,
        opcode: BINARY,
        is_compressible: false,
        payload: noise,
    },
];

impl Kind {
    pub(super) fn echo(self, payload: Vec<u8>) -> Heard {
        if self.opcode == TEXT { Heard::Text(payload) } else { Heard::Binary(payload) }
    }
}

/// A list, and spaces up to the length that is wanted.
fn json(length: usize, number: usize) -> Vec<u8> {
    let mut text = String::from("[");
    for id in number * 1_000.. {
        let separator = if text.len() == 1 { "" } else { "," };
        let name = ["Zoë", "Grégoire", "Ayşe", "Łukasz"][id % 4];
        let item = format!(
            "{separator}{{\"id\":{id},\"name\":\"{name}\",\"balance\":{}.{:02}}}",
            id * 7_919 % 10_007,
            id % 100
        );
        if text.len() + item.len() + 1 > length {
            break;
        }
        text.push_str(&item);
    }
    let spaces = " ".repeat(length - text.len() - 1);
    format!("{text}{spaces}]").into_bytes()
}

/// A page as a JSON text.
fn html(length: usize, number: usize) -> Vec<u8> {
    let lines =
        (number * 100..).map(|id| format!("<tr class='row'><td id='cell-{id}'>{}</td></tr>", id * 31));
    let page = lines.flat_map(String::into_bytes).take(length - 2);
    [b"\"".to_vec(), page.collect(), b"\"".to_vec()].concat()
}

/// Rows of grey that change slowly, with a little noise.
fn picture(length: usize, number: usize) -> Vec<u8> {
    let mut random = Random::of(number);
    let pixel = |index: usize| {
        let shade = (index % 512 / 4 + index / 512 * 3 + number) % 256;
        u8::try_from(shade).expect("a shade") ^ (random.next() & 1)
    };
    (0..length).map(pixel).collect()
}

fn language(length: usize, number: usize) -> Vec<u8> {
    let text = include_bytes!("../../../../../../LICENSE");
    text.iter().cycle().skip(number * 1_009).take(length).copied().collect()
}

fn noise(length: usize, number: usize) -> Vec<u8> {
    let mut random = Random::of(number);
    (0..length).map(|_| random.next()).collect()
}

/// The same bytes in each run.
struct Random(u64);

impl Random {
    fn of(number: usize) -> Self {
        Self(0x9E37_79B9_7F4A_7C15 ^ number as u64)
    }

    fn next(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.to_be_bytes()[2]
    }
}
