//! What a fuzzer would try: streams of bytes, right and wrong ones, in pieces of any size.

use proptest::prelude::*;

use super::*;

/// Bytes of a message at most.
pub(super) const MAX: usize = 1_000;

/// The messages of a stream that arrives in these pieces, and why it is refused after them.
pub(super) fn taken_in<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Incoming>, Option<CloseReason>) {
    let (mut decoder, mut messages) = (Decoder::new(MAX, None), Vec::new());
    for piece in pieces {
        decoder.feed(piece);
        loop {
            match decoder.next() {
                Ok(Some(incoming)) => messages.push(incoming),
                Ok(None) => break,
                Err(reason) => return (messages, Some(reason)),
            }
        }
        let held = decoder.bytes.capacity() + decoder.message.as_ref().map_or(0, |it| it.capacity());
        // Besides the message, what was read last and a control frame that isn't whole, which a buffer
        // that grows may have doubled.
        assert!(held <= MAX + 2 * (piece.len() + 139), "{held} bytes are held");
    }
    (messages, None)
}

/// Frames as a client sends them, and some that none may send.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x01_u8, 0x02, 0x00, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8A]),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        2 => "\\PC{0,60}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..400),
    ];
    let length =
        prop_oneof![16 => Just(None), 1 => (0..2_000_u64).prop_map(Some), 1 => any::<u64>().prop_map(Some)];
    (first, payload, any::<[u8; 4]>(), length).prop_map(|(first, mut payload, mask, length)| {
        unmask(&mut payload, mask, 0);
        let length = length.unwrap_or(payload.len() as u64);
        let length = if length < 126 {
            vec![0x80 | u8::try_from(length).expect("short")]
        } else {
            [&[0xFF], &length.to_be_bytes()[..]].concat()
        };
        [&[first], &length[..], &mask, &payload].concat()
    })
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..3_000),
        4 => prop::collection::vec(frame(), 0..12).prop_map(|frames| frames.concat()),
    ]
}

proptest! {
    /// What a fuzzer would try: whatever arrives, in whatever pieces, there is no panic, the same messages
    /// and the same end come of it, and nothing larger is held than allowed.
    #[test]
    fn a_stream_means_the_same_however_it_is_cut(
        bytes in stream(),
        cuts in prop::collection::vec(1_usize..200, 1..40),
    ) {
        let mut pieces = Vec::new();
        let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
        while let Some(cut) = cuts.next().filter(|_| !rest.is_empty()) {
            let (piece, after) = rest.split_at(rest.len().min(*cut));
            pieces.push(piece);
            rest = after;
        }
        let whole = taken_in([&bytes[..]]);
        prop_assert_eq!(&taken_in(pieces), &whole);
        prop_assert_eq!(&taken_in(bytes.chunks(1)), &whole);
    }
}
