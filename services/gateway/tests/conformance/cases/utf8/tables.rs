//! The tables of Markus Kuhn's UTF-8 decoder stress test, in Autobahn's order.

use super::KOSME;

pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) sequences: Vec<Vec<u8>>,
    /// What the tables say of them, not what a library does.
    pub(super) valid: Valid,
}

/// Which of a table's sequences are UTF-8.
pub(super) enum Valid {
    All,
    None,
    /// Those of these numbers, from 1.
    Only(&'static [usize]),
}

impl Valid {
    pub(super) fn has(&self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Only(numbers) => numbers.contains(&number),
        }
    }
}

pub(super) fn tables() -> Vec<Table> {
    let table = |name, sequences: &[&[u8]], valid| Table {
        name,
        sequences: sequences.iter().map(|sequence| sequence.to_vec()).collect(),
        valid,
    };
    let computed = |name, sequences, valid| Table { name, sequences, valid };
    let incomplete: [&[u8]; 10] = [
        b"\xC0",
        b"\xE0\x80",
        b"\xF0\x80\x80",
        b"\xF8\x80\x80\x80",
        b"\xFC\x80\x80\x80\x80",
        b"\xDF",
        b"\xEF\xBF",
        b"\xF7\xBF\xBF",
        b"\xFB\xBF\xBF\xBF",
        b"\xFD\xBF\xBF\xBF\xBF",
    ];
    vec![
        table(
            "UTF-8",
            &[
                b"hello\x24world",
                b"hello\xC2\xA2world",
                b"hello\xE2\x82\xACworld",
                b"hello\xF0\xA4\xAD\xA2world",
                KOSME,
            ],
            Valid::All,
        ),
        computed(
            "a prefix of UTF-8",
            (1..=KOSME.len()).map(|end| KOSME[..end].to_vec()).collect(),
            Valid::Only(&[2, 5, 7, 9, 11]),
        ),
        table(
            "the first sequence of a length",
            &[b"\x00", b"\xC2\x80", b"\xE0\xA0\x80", b"\xF0\x90\x80\x80"],
            Valid::All,
        ),
        table(
            "the first sequence of 5 or 6 bytes",
            &[b"\xF8\x88\x80\x80\x80", b"\xFC\x84\x80\x80\x80\x80"],
            Valid::None,
        ),
        table(
            "the last sequence of a length",
            &[b"\x7F", b"\xDF\xBF", b"\xEF\xBF\xBF", b"\xF4\x8F\xBF\xBF"],
            Valid::All,
        ),
        table(
            "the last sequence of 4, 5 or 6 bytes",
            &[b"\xF7\xBF\xBF\xBF", b"\xFB\xBF\xBF\xBF\xBF", b"\xFD\xBF\xBF\xBF\xBF\xBF"],
            Valid::None,
        ),
        table(
            "another boundary",
            &[b"\xED\x9F\xBF", b"\xEE\x80\x80", b"\xEF\xBF\xBD", b"\xF4\x8F\xBF\xBF", b"\xF4\x90\x80\x80"],
            Valid::Only(&[1, 2, 3, 4]),
        ),
        computed("unexpected continuation bytes", continuations(), Valid::None),
        computed("lonely start bytes", starts(), Valid::None),
        table("the last continuation byte is missing", &incomplete, Valid::None),
        computed("incomplete sequences in a row", vec![incomplete.concat()], Valid::None),
        table("impossible bytes", &[b"\xFE", b"\xFF", b"\xFE\xFE\xFF\xFF"], Valid::None),
        table(
            "an overlong ASCII character",
            &[
                b"\xC0\xAF",
                b"\xE0\x80\xAF",
                b"\xF0\x80\x80\xAF",
                b"\xF8\x80\x80\x80\xAF",
                b"\xFC\x80\x80\x80\x80\xAF",
            ],
            Valid::None,
        ),
        table(
            "the largest overlong sequence",
            &[
                b"\xC1\xBF",
                b"\xE0\x9F\xBF",
                b"\xF0\x8F\xBF\xBF",
                b"\xF8\x87\xBF\xBF\xBF",
                b"\xFC\x83\xBF\xBF\xBF\xBF",
            ],
            Valid::None,
        ),
        table(
            "an overlong NUL",
            &[
                b"\xC0\x80",
                b"\xE0\x80\x80",
                b"\xF0\x80\x80\x80",
                b"\xF8\x80\x80\x80\x80",
                b"\xFC\x80\x80\x80\x80\x80",
            ],
            Valid::None,
        ),
        table(
            "a surrogate",
            &[
                b"\xED\xA0\x80",
                b"\xED\xAD\xBF",
                b"\xED\xAE\x80",
                b"\xED\xAF\xBF",
                b"\xED\xB0\x80",
                b"\xED\xBE\x80",
                b"\xED\xBF\xBF",
            ],
            Valid::None,
        ),
        computed("a pair of surrogates", surrogate_pairs(), Valid::None),
        computed("a code point that is no character", non_characters(), Valid::All),
        computed(
            "a special code point",
            (0xB9..=0xBF).map(|end| vec![0xEF, 0xBF, end]).collect(),
            Valid::All,
        ),
    ]
}

fn continuations() -> Vec<Vec<u8>> {
    let alternating = |length| [0x80, 0xBF].into_iter().cycle().take(length).collect();
    let rows = [vec![0x80], vec![0xBF]].into_iter().chain((2..=6).map(alternating));
    rows.chain([(0x80..0xBF).collect()]).collect()
}

/// Each followed by a space, as Autobahn has them: without the last one of each row.
fn starts() -> Vec<Vec<u8>> {
    let rows = [0xC0..0xDF, 0xE0..0xEF, 0xF0..0xF7, 0xF8..0xFB, 0xFC..0xFD_u8];
    rows.map(|row| row.flat_map(|start| [start, b' ']).collect()).into()
}

fn surrogate_pairs() -> Vec<Vec<u8>> {
    let high: [&[u8]; 4] = [b"\xED\xA0\x80", b"\xED\xAD\xBF", b"\xED\xAE\x80", b"\xED\xAF\xBF"];
    let low: [&[u8]; 2] = [b"\xED\xB0\x80", b"\xED\xBF\xBF"];
    high.into_iter().flat_map(|high| low.map(|low| [high, low].concat())).collect()
}

/// The last two code points of each plane.
fn non_characters() -> Vec<Vec<u8>> {
    let of_plane =
        |plane: u32| [0xFFFE, 0xFFFF].map(|end| char::from_u32(plane << 16 | end).expect("a code point"));
    (0..=16).flat_map(of_plane).map(|code_point| code_point.to_string().into_bytes()).collect()
}
