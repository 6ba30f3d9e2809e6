//! Replays to the connections of one worker: pieces of the past, rendered once for all who get the same, and sent
//! in slices, so that live events keep their latency while thousands recover.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use carillon_contract::messages::Event;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{compressor::Compressor, registry::Shard, render::render};
use crate::{
    session::Format,
    websocket::{self, Frame},
};

/// Connections whose replays go on before other tasks of the worker get their turn.
const SLICE: usize = 4;

/// A piece ends with the event that makes it so large: enough for one write.
const PIECE: usize = 16 * 1024;

/// A piece ends with an offset that is a multiple of this, so that those who left off at different
/// places share all but their first.
const ALIGNED: u64 = 64;

/// Bytes of pieces that are kept, and what one costs besides its frames.
const KEPT: usize = 4 * 1024 * 1024;
const OVERHEAD: usize = 256;

/// Who may go on, and what was rendered lately.
pub(crate) struct Replays {
    turns: Semaphore,
    pieces: RefCell<Pieces>,
}

/// Events of one channel that follow each other, in one format.
pub(crate) struct Piece {
    /// In one piece. `None` if there is nothing for that format.
    pub(super) frame: Option<Frame>,
    /// How many frames that is.
    pub(super) count: u64,
    /// Bytes by which compression has made them fewer.
    pub(super) saved: u64,
    /// They stay where they are for as long as the piece is kept, so it can be found by them.
    _events: (Arc<Event>, Arc<Event>),
}

#[derive(Default)]
struct Pieces {
    /// By their first and last event: those who wait for the same page, or are served from memory, get the
    /// very same events.
    by_events: HashMap<(*const Event, *const Event), Vec<Rendered>>,
    bytes: usize,
}

struct Rendered {
    format: Format,
    piece: Rc<Piece>,
    /// Since somebody last looked.
    is_used: bool,
}

impl Default for Replays {
    fn default() -> Self {
        Self { turns: Semaphore::new(SLICE), pieces: RefCell::default() }
    }
}

impl Replays {
    /// Waits for a turn to send a piece. Whoever has had theirs gives way to the worker's other tasks before
    /// they let the next one have it.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // It is never closed.
        self.turns.acquire().await.ok()
    }

    /// These events in a format.
    fn piece(&self, events: &[Arc<Event>], format: Format, compressor: &Compressor) -> Option<Rc<Piece>> {
        let ends = (events.first()?, events.last()?);
        let pieces = &mut *self.pieces.borrow_mut();
        let place = (Arc::as_ptr(ends.0), Arc::as_ptr(ends.1));
        let known = pieces.by_events.get_mut(&place);
        if let Some(found) = known.and_then(|known| known.iter_mut().find(|known| known.format == format)) {
            found.is_used = true;
            return Some(found.piece.clone());
        }
        let piece = Rc::new(Piece::new(events, format, compressor, (ends.0.clone(), ends.1.clone())));
        pieces.bytes += piece.bytes();
        if pieces.bytes > KEPT {
            *pieces = Pieces { bytes: piece.bytes(), ..Pieces::default() };
        }
        let rendered = Rendered { format, piece: piece.clone(), is_used: true };
        pieces.by_events.entry(place).or_default().push(rendered);
        Some(piece)
    }

    /// Lets go of what nobody has wanted since this was last called.
    pub(super) fn tidy(&self) {
        let Pieces { by_events, bytes } = &mut *self.pieces.borrow_mut();
        by_events.retain(|_, pieces| {
            pieces.retain_mut(|rendered| {
                let is_used = std::mem::take(&mut rendered.is_used);
                if !is_used {
                    *bytes -= rendered.piece.bytes();
                }
                is_used
            });
            !pieces.is_empty()
        });
        if by_events.is_empty() {
            *by_events = HashMap::new();
        }
    }
}

impl Piece {
    fn new(
        events: &[Arc<Event>],
        format: Format,
        compressor: &Compressor,
        ends: (Arc<Event>, Arc<Event>),
    ) -> Self {
        let mut saved = 0;
        let fitting = |event: &Arc<Event>| {
            let plain = render(event, format)?;
            let frame = compressor.fit(&plain, format.compression);
            saved += (plain.len() - frame.len()) as u64;
            Some(frame)
        };
        let frames: Vec<Frame> = events.iter().filter_map(fitting).collect();
        let frame = match &frames[..] {
            [] => None,
            [only] => Some(only.clone()),
            several => Some(websocket::joined(several.iter())),
        };
        Self { frame, count: frames.len() as u64, saved, _events: ends }
    }

    fn bytes(&self) -> usize {
        OVERHEAD + self.frame.as_ref().map_or(0, |frame| frame.len())
    }
}

impl Shard {
    pub(crate) fn replays(&self) -> &Replays {
        &self.replays
    }

    /// These events in a format.
    pub(crate) fn piece(&self, events: &[Arc<Event>], format: Format) -> Option<Rc<Piece>> {
        self.replays.piece(events, format, &self.compressor)
    }
}

/// The events of the next piece, and the others. One that ends sessions is the last of its piece.
pub(crate) fn cut(events: &[Arc<Event>]) -> (&[Arc<Event>], &[Arc<Event>]) {
    let mut bytes = 0;
    let last = events.iter().position(|event| {
        bytes += event.variants.iter().map(|variant| variant.json.len()).sum::<usize>();
        bytes >= PIECE || event.offset.is_multiple_of(ALIGNED) || event.dismissal.is_some()
    });
    events.split_at(last.map_or(events.len(), |last| last + 1))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use carillon_contract::messages::{Dismissal, Variant};
    use tokio::task::{LocalSet, spawn_local, yield_now};

    use super::*;
    use crate::session::Framing;

    const JSON: Format = Format { dialect: None, framing: Framing::Text, compression: None };

    fn event(offset: u64, length: usize) -> Event {
        let variants = vec![Variant::json(format!("{{\"a\":\"{}\"}}", "x".repeat(length)))];
        Event { channel: "everyone".into(), offset, variants, ..Event::default() }
    }

    fn lengths(mut events: &[Arc<Event>]) -> Vec<usize> {
        let mut lengths = Vec::new();
        while !events.is_empty() {
            let (piece, others) = cut(events);
            lengths.push(piece.len());
            events = others;
        }
        lengths
    }

    #[test]
    fn pieces_end_at_common_places_when_they_are_large_and_with_a_dismissal() {
        let small: Vec<_> = (60..=200).map(|offset| Arc::new(event(offset, 10))).collect();
        assert_eq!(lengths(&small), [5, 64, 64, 8]);
        let large: Vec<_> = (1..=5).map(|offset| Arc::new(event(offset, PIECE / 2))).collect();
        assert_eq!(lengths(&large), [2, 2, 1]);
        let dismissal = Some(Dismissal::default());
        let ending = [event(1, 1), Event { dismissal, ..event(2, 1) }, event(3, 1)].map(Arc::new);
        assert_eq!(lengths(&ending), [2, 1]);
        assert!(cut(&[]).0.is_empty());
    }

    #[test]
    fn who_gets_the_same_events_shares_their_frames_for_as_long_as_they_are_wanted() {
        let events: Vec<_> = (1..=3).map(|offset| Arc::new(event(offset, 10))).collect();
        let replays = Replays::default();
        let compressor = Compressor::of_tests();
        let piece = |events| replays.piece(events, JSON, &compressor).expect("a piece");
        let first = piece(&events[..]);
        assert_eq!(first.count, 3);
        assert!(Rc::ptr_eq(&first, &piece(&events[..])) && !Rc::ptr_eq(&first, &piece(&events[1..])));
        let binary = Format { framing: Framing::Binary, ..JSON };
        assert!(replays.piece(&events, binary, &compressor).expect("a piece").frame.is_none());
        assert_eq!(replays.pieces.borrow().by_events.len(), 2);
        replays.tidy();
        assert!(Rc::ptr_eq(&first, &piece(&events[..])));
        replays.tidy();
        replays.tidy();
        let left = replays.pieces.borrow();
        assert_eq!((left.bytes, left.by_events.len()), (0, 0));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (replays, compressor) = (Replays::default(), Compressor::of_tests());
        for offset in 1..=1_000 {
            replays.piece(&[Arc::new(event(offset, 20_000))], JSON, &compressor);
            assert!(replays.pieces.borrow().bytes <= KEPT);
        }
    }

    /// However many replays there are, no other task of the worker waits for more than a slice of them.
    #[test]
    fn replays_give_way_between_slices() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        LocalSet::new().block_on(&runtime, async {
            let (replays, sent) = (Rc::new(Replays::default()), Rc::new(Cell::new(0)));
            let crowd = (0..1_000).map(|_| {
                let (replays, sent) = (replays.clone(), sent.clone());
                spawn_local(async move {
                    let _turn = replays.turn().await;
                    sent.set(sent.get() + 1);
                    yield_now().await;
                })
            });
            let crowd: Vec<_> = crowd.collect();
            let (mut before, mut most) = (0, 0);
            while crowd.iter().any(|task| !task.is_finished()) {
                yield_now().await;
                most = most.max(sent.get() - before);
                before = sent.get();
            }
            assert_eq!(sent.get(), 1_000);
            assert!(most <= 2 * SLICE, "{most} at a time");
        });
    }
}
