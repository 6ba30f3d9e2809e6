//! Recent events of the channels in use, kept in memory within a bound, so that a crowd that
//! reconnects doesn't reach the database.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use carillon_contract::{Channel, messages::Event};
use prost::Message;

/// Entries of forgotten channels that the order may hold before it is tidied.
const MAX_STALE: usize = 1_024;

/// Bytes after which a page of events ends.
const PAGE_BYTES: usize = 128 * 1024;

/// The latest events of each channel, in order and without gaps.
pub(crate) struct Recent {
    capacity: usize,
    bytes: usize,
    count: usize,
    next_life: u64,
    channels: HashMap<Channel, Events>,
    /// Whose oldest event goes first when room is needed: the channel, and which of its lives.
    order: VecDeque<(Channel, u64)>,
}

/// One channel's events, from when it was first used until it is forgotten.
struct Events {
    life: u64,
    events: VecDeque<Arc<Event>>,
}

impl Recent {
    /// Room for events of `capacity` bytes altogether.
    pub(crate) fn new(capacity: usize) -> Self {
        let (channels, order) = (HashMap::new(), VecDeque::new());
        Self { capacity, bytes: 0, count: 0, next_life: 0, channels, order }
    }

    /// Keeps an event, and forgets the oldest ones for it.
    pub(crate) fn push(&mut self, channel: &Channel, event: Arc<Event>) {
        self.bytes += event.encoded_len();
        self.count += 1;
        let next_life = &mut self.next_life;
        let kept = self.channels.entry(channel.clone()).or_insert_with(|| {
            *next_life += 1;
            Events { life: *next_life, events: VecDeque::new() }
        });
        kept.events.push_back(event);
        self.order.push_back((channel.clone(), kept.life));
        while self.bytes > self.capacity && self.forget_oldest() {}
    }

    /// Makes room. False if there is nothing left to forget.
    fn forget_oldest(&mut self) -> bool {
        let Some((channel, life)) = self.order.pop_front() else { return false };
        if let Some(kept) = self.channels.get_mut(&channel).filter(|kept| kept.life == life) {
            if let Some(event) = kept.events.pop_front() {
                self.bytes -= event.encoded_len();
                self.count -= 1;
            }
            if kept.events.is_empty() {
                self.channels.remove(&channel);
            }
        }
        true
    }

    /// The events above `after` up to `head`, if all of them are here: as many as fit into a page
    /// of bytes, at least one.
    pub(crate) fn range(&self, channel: &Channel, after: u64, head: u64) -> Option<Vec<Arc<Event>>> {
        let events = &self.channels.get(channel)?.events;
        let first = events.front()?.offset;
        let last = events.back()?.offset;
        if first > after + 1 || last < head {
            return None;
        }
        let mut bytes = 0;
        let wanted = events.iter().filter(|event| (after + 1..=head).contains(&event.offset));
        let page = wanted.take_while(|event| {
            let fits = bytes < PAGE_BYTES;
            bytes += event.encoded_len();
            fits
        });
        Some(page.cloned().collect())
    }

    /// Forgets a channel: nobody listens, or its order was broken.
    pub(crate) fn forget(&mut self, channel: &Channel) {
        let Some(kept) = self.channels.remove(channel) else { return };
        self.bytes -= kept.events.iter().map(|event| event.encoded_len()).sum::<usize>();
        self.count -= kept.events.len();
        if self.order.len() > 2 * self.count + MAX_STALE {
            let channels = &self.channels;
            self.order.retain(|(channel, life)| channels.get(channel).is_some_and(|kept| kept.life == *life));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(offset: u64) -> Arc<Event> {
        Arc::new(Event { offset, channel: "user.1".into(), ..Event::default() })
    }

    #[test]
    fn a_range_is_had_whole_or_not_at_all() {
        let channel = Channel::user("1").expect("a channel");
        let mut recent = Recent::new(event(1).encoded_len() * 3);
        (1..=5).for_each(|offset| recent.push(&channel, event(offset)));
        let range = |after, head| recent.range(&channel, after, head).map(|events| events.len());
        assert_eq!(range(2, 5), Some(3));
        assert_eq!(range(3, 4), Some(1));
        assert_eq!(range(1, 5), None, "forgotten");
        assert_eq!(range(4, 6), None, "not there yet");
        recent.forget(&channel);
        assert_eq!((recent.bytes, recent.count), (0, 0));
    }

    #[test]
    fn channels_that_come_and_go_leave_nothing_behind() {
        let channel = Channel::user("1").expect("a channel");
        let mut recent = Recent::new(1_000_000);
        for offset in 1..10_000 {
            recent.push(&channel, event(offset));
            recent.forget(&channel);
        }
        assert_eq!((recent.bytes, recent.channels.len()), (0, 0));
        assert!(recent.order.len() <= MAX_STALE);
    }
}
