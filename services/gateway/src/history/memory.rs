//! The memory of events, from which most of those who come back are served.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use carillon_contract::{Channel, messages::Event};
use prost::Message;

use super::recent::Recent;

/// Events, and bytes, after which a page ends.
const PAGE: usize = 200;
const PAGE_BYTES: usize = 128 * 1024;

/// Recent events of the channels in use, as they arrive, and older ones that somebody has asked their owner
/// for. The latter have a part of their own: a client that reads a long past displaces no other's.
pub(crate) struct Memory {
    kept: Mutex<Kept>,
}

struct Kept {
    /// Without gaps in a channel.
    live: Recent,
    fetched: Recent,
}

impl Memory {
    /// Room for events of `capacity` bytes altogether.
    pub(crate) fn new(capacity: usize) -> Self {
        let fetched = capacity / 4;
        let kept = Kept { live: Recent::new(capacity - fetched), fetched: Recent::new(fetched) };
        Self { kept: Mutex::new(kept) }
    }

    /// Keeps an event that has just arrived.
    pub(crate) fn push(&self, channel: &Channel, event: Arc<Event>) {
        self.kept().live.push(channel, event);
    }

    /// Keeps what an owner's log was asked for, and isn't here yet.
    pub(super) fn keep(&self, channel: &Channel, events: &[Arc<Event>]) {
        let kept = &mut *self.kept();
        for event in events {
            if kept.get(channel, &event.epoch, event.offset).is_none() {
                kept.fetched.push(channel, event.clone());
            }
        }
    }

    /// Forgets a channel: nobody listens, or its log is another one.
    pub(crate) fn forget(&self, channel: &Channel) {
        let kept = &mut *self.kept();
        kept.live.forget(channel);
        kept.fetched.forget(channel);
    }

    /// The events of a log that follow `after`, up to `head` or to the first that isn't here: none, if that
    /// is the very next. At most a page of them.
    pub(crate) fn page(&self, channel: &Channel, epoch: &str, after: u64, head: u64) -> Vec<Arc<Event>> {
        let kept = self.kept();
        let parts = [&kept.live, &kept.fetched].map(|part| part.events(channel));
        let mut bytes = 0;
        let next = (after + 1..=head).map_while(|offset| of(parts, epoch, offset));
        let fitting = next.take_while(|event| {
            let fits = bytes < PAGE_BYTES;
            bytes += event.encoded_len();
            fits
        });
        fitting.take(PAGE).cloned().collect()
    }

    /// How many events of a log follow `after` before the next one that is here, at most `limit`.
    pub(super) fn lacks(&self, channel: &Channel, epoch: &str, after: u64, limit: u32) -> u32 {
        let kept = self.kept();
        let parts = [&kept.live, &kept.fetched].map(|part| part.events(channel));
        let is_missing = |count: &u32| of(parts, epoch, after + u64::from(*count)).is_none();
        (1..=limit).take_while(is_missing).last().unwrap_or_default()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn get(&self, channel: &Channel, epoch: &str, offset: u64) -> Option<&Arc<Event>> {
        of([&self.live, &self.fetched].map(|part| part.events(channel)), epoch, offset)
    }
}

type Part<'a> = Option<&'a BTreeMap<u64, Arc<Event>>>;

/// The event of that log with that offset.
fn of<'a>(parts: [Part<'a>; 2], epoch: &str, offset: u64) -> Option<&'a Arc<Event>> {
    let found = parts.into_iter().flatten().filter_map(|events| events.get(&offset));
    found.into_iter().find(|event| event.epoch == epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(epoch: &str, offset: u64) -> Arc<Event> {
        Arc::new(Event { offset, epoch: epoch.into(), ..Event::default() })
    }

    fn offsets(events: &[Arc<Event>]) -> Vec<u64> {
        events.iter().map(|event| event.offset).collect()
    }

    #[test]
    fn what_arrived_and_what_was_fetched_make_one_past() {
        let (channel, memory) = (Channel::everyone(), Memory::new(10_000));
        (5..=7).for_each(|offset| memory.push(&channel, event("e", offset)));
        memory.keep(&channel, &[2, 3, 4, 5].map(|offset| event("e", offset)));
        let page = |after, head| offsets(&memory.page(&channel, "e", after, head));
        assert_eq!(page(1, 7), [2, 3, 4, 5, 6, 7]);
        assert_eq!(page(4, 6), [5, 6]);
        assert_eq!(page(5, 9), [6, 7], "the rest is not there yet");
        assert_eq!((page(0, 7), page(7, 9)), (vec![], vec![]));
        assert_eq!(memory.kept().fetched.events(&channel).expect("events").len(), 3, "each once");
        memory.forget(&channel);
        assert!(page(1, 7).is_empty());
    }

    #[test]
    fn what_is_lacking_ends_where_something_is_known() {
        let (channel, memory) = (Channel::everyone(), Memory::new(10_000));
        memory.keep(&channel, &[event("e", 8)]);
        let lacks = |after, limit| memory.lacks(&channel, "e", after, limit);
        assert_eq!((lacks(3, 200), lacks(3, 2), lacks(7, 200), lacks(8, 200)), (4, 2, 0, 200));
    }

    #[test]
    fn events_of_another_log_are_none_of_it() {
        let (channel, memory) = (Channel::everyone(), Memory::new(10_000));
        memory.push(&channel, event("old", 1));
        assert!(memory.page(&channel, "e", 0, 1).is_empty());
        memory.keep(&channel, &[event("e", 1)]);
        assert_eq!(offsets(&memory.page(&channel, "e", 0, 1)), [1]);
        memory.keep(&channel, &[event("new", 1)]);
        assert_eq!(offsets(&memory.page(&channel, "new", 0, 1)), [1]);
        assert!(memory.page(&channel, "e", 0, 1).is_empty(), "replaced");
    }

    #[test]
    fn a_long_past_displaces_no_recent_events() {
        let (channel, memory) = (Channel::everyone(), Memory::new(event("e", 900).encoded_len() * 40));
        (900..=920).for_each(|offset| memory.push(&channel, event("e", offset)));
        let other = Channel::user("1").expect("a channel");
        (1..900).for_each(|offset| memory.keep(&other, &[event("e", offset)]));
        assert_eq!(memory.page(&channel, "e", 899, 920).len(), 21);
        assert!(!memory.page(&other, "e", 895, 899).is_empty());
    }
}
