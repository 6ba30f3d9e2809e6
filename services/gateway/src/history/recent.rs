//! Events of channels, kept within a bound of bytes.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use carillon_contract::{Channel, messages::Event};
use prost::Message;

/// Entries of forgotten channels that the order may hold before it is tidied.
const MAX_STALE: usize = 1_024;

/// Events of each channel, by offset.
pub(super) struct Recent {
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
    events: BTreeMap<u64, Arc<Event>>,
}

impl Recent {
    /// Room for events of `capacity` bytes altogether.
    pub(super) fn new(capacity: usize) -> Self {
        let (channels, order) = (HashMap::new(), VecDeque::new());
        Self { capacity, bytes: 0, count: 0, next_life: 0, channels, order }
    }

    /// Keeps an event, and forgets others for it: a channel's oldest, the channel that has waited longest first.
    pub(super) fn push(&mut self, channel: &Channel, event: Arc<Event>) {
        let next_life = &mut self.next_life;
        let kept = self.channels.entry(channel.clone()).or_insert_with(|| {
            *next_life += 1;
            Events { life: *next_life, events: BTreeMap::new() }
        });
        self.bytes += event.encoded_len();
        match kept.events.insert(event.offset, event) {
            // Of another log. It had its place in the order already.
            Some(other) => self.bytes -= other.encoded_len(),
            None => {
                self.count += 1;
                self.order.push_back((channel.clone(), kept.life));
            }
        }
        while self.bytes > self.capacity && self.forget_oldest() {}
    }

    /// Makes room. False if there is nothing left to forget.
    fn forget_oldest(&mut self) -> bool {
        let Some((channel, life)) = self.order.pop_front() else { return false };
        if let Some(kept) = self.channels.get_mut(&channel).filter(|kept| kept.life == life) {
            if let Some((_, event)) = kept.events.pop_first() {
                self.bytes -= event.encoded_len();
                self.count -= 1;
            }
            if kept.events.is_empty() {
                self.channels.remove(&channel);
            }
        }
        true
    }

    /// What there is of a channel.
    pub(super) fn events(&self, channel: &Channel) -> Option<&BTreeMap<u64, Arc<Event>>> {
        self.channels.get(channel).map(|kept| &kept.events)
    }

    /// Forgets a channel: nobody listens, or its order was broken.
    pub(super) fn forget(&mut self, channel: &Channel) {
        let Some(kept) = self.channels.remove(channel) else { return };
        self.bytes -= kept.events.values().map(|event| event.encoded_len()).sum::<usize>();
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
    fn the_oldest_go_when_room_is_needed() {
        let channel = Channel::user("1").expect("a channel");
        let mut recent = Recent::new(event(1).encoded_len() * 3);
        (1..=5).for_each(|offset| recent.push(&channel, event(offset)));
        let offsets = recent.events(&channel).map(|events| events.keys().copied().collect::<Vec<_>>());
        assert_eq!(offsets.expect("events"), [3, 4, 5]);
        recent.forget(&channel);
        assert_eq!((recent.bytes, recent.count), (0, 0));
    }

    #[test]
    fn an_event_that_comes_again_takes_no_more_room() {
        let channel = Channel::user("1").expect("a channel");
        let mut recent = Recent::new(1_000);
        (0..100).for_each(|_| recent.push(&channel, event(7)));
        assert_eq!((recent.bytes, recent.count, recent.order.len()), (event(7).encoded_len(), 1, 1));
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
