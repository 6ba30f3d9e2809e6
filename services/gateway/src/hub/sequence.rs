//! The order of one channel's events: which to deliver, which is a duplicate, and what is missing.

use std::{collections::BTreeMap, sync::Arc};

use carillon_contract::messages::Event;

/// The most events that wait for a gap before them to be filled. Those above can be had from the
/// log again.
const MAX_WAITING: usize = 256;

/// How far a channel is at this gateway.
#[derive(Debug, Default)]
pub(crate) struct Sequence {
    /// The epoch, and the last offset delivered; unknown until an owner has told the head.
    /// Channels of one owner share the epoch's text.
    place: Option<(Arc<str>, u64)>,
    /// Where deliveries began: nothing up to this offset was delivered.
    start: u64,
    /// Events that came too early: before the place was known, or above a gap.
    waiting: BTreeMap<u64, Arc<Event>>,
    /// The highest offset that is known to exist.
    head: u64,
}

/// What follows from something that was heard.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// To be delivered now, in this order.
    pub(crate) deliver: Vec<Arc<Event>>,
    /// Some events are missing: the log is to be asked for those after the last one delivered.
    pub(crate) missing: bool,
    /// The log is another one, or no longer holds what is missing: clients have a gap and are to be told.
    pub(crate) reset: bool,
}

impl Sequence {
    /// The last offset delivered, if the place is known.
    pub(crate) fn last(&self) -> Option<u64> {
        self.place.as_ref().map(|(_, last)| *last)
    }

    /// The offset after which deliveries began.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// Whether the log is known to hold more than was delivered.
    pub(crate) fn is_behind(&self) -> bool {
        self.last().is_some_and(|last| last < self.head)
    }

    /// A live event arrived (durable: its offset is not 0), or an announcement of the head.
    pub(crate) fn event(&mut self, event: Arc<Event>) -> Step {
        let reset = match &self.place {
            Some((epoch, _)) if **epoch != *event.epoch => {
                self.restart(event.epoch.as_str().into(), event.offset.saturating_sub(1));
                true
            }
            _ => false,
        };
        self.head = self.head.max(event.offset);
        if !is_announcement(&event) {
            self.hold(event);
        }
        Step { reset, ..self.advance() }
    }

    /// The owner told the head of the channel.
    pub(crate) fn head(&mut self, epoch: &Arc<str>, head: u64) -> Step {
        let reset = match &self.place {
            None => {
                self.begin(epoch.clone(), head);
                false
            }
            Some((known, _)) if known != epoch => {
                self.restart(epoch.clone(), head);
                true
            }
            // A lower head is an answer that newer events have overtaken.
            Some(_) => false,
        };
        self.head = self.head.max(head);
        Step { reset, ..self.advance() }
    }

    /// The log answered with what follows the last event delivered; `first` is the lowest offset it holds.
    pub(crate) fn fetched(&mut self, epoch: &str, first: u64, head: u64, events: Vec<Event>) -> Step {
        let mut reset = false;
        match &mut self.place {
            Some((known, last)) if **known == *epoch => {
                if first > *last + 1 {
                    *last = first - 1;
                    self.start = *last;
                    reset = true;
                }
            }
            _ => {
                self.restart(epoch.into(), head);
                reset = true;
            }
        }
        // A log that has nothing more to give is believed, or it would be asked for ever.
        self.head = if events.is_empty() { head } else { self.head.max(head) };
        for event in events {
            self.hold(Arc::new(event));
        }
        Step { reset, ..self.advance() }
    }

    /// The place becomes known. What waits of another log will never come to follow it.
    fn begin(&mut self, epoch: Arc<str>, head: u64) {
        self.waiting.retain(|_, event| *event.epoch == *epoch);
        self.place = Some((epoch, head));
        self.start = head;
        self.head = self.head.max(head);
    }

    fn restart(&mut self, epoch: Arc<str>, last: u64) {
        self.waiting.clear();
        self.head = last;
        self.begin(epoch, last);
    }

    /// Keeps an event until its turn, the lowest ones if there are too many.
    fn hold(&mut self, event: Arc<Event>) {
        self.waiting.insert(event.offset, event);
        if self.waiting.len() > MAX_WAITING {
            self.waiting.pop_last();
        }
    }

    /// Takes what is next, and forgets what was delivered before.
    fn advance(&mut self) -> Step {
        let Some((_, last)) = &mut self.place else { return Step::default() };
        let mut deliver = Vec::new();
        while let Some(entry) = self.waiting.first_entry() {
            match *entry.key() {
                offset if offset <= *last => drop(entry.remove()),
                offset if offset == *last + 1 => {
                    *last = offset;
                    deliver.push(entry.remove());
                }
                _ => break,
            }
        }
        Step { missing: *last < self.head, deliver, reset: false }
    }
}

/// Whether it merely says how far the channel is. What only ends sessions is an event like others.
fn is_announcement(event: &Event) -> bool {
    event.variants.is_empty() && event.dismissal.is_none()
}

#[cfg(test)]
mod tests {
    use carillon_contract::messages::{Dismissal, Variant};
    use proptest::prelude::*;

    use super::*;

    fn event(offset: u64) -> Event {
        Event { epoch: "e".into(), offset, variants: vec![Variant::default()], ..Event::default() }
    }

    fn offsets(step: &Step) -> Vec<u64> {
        step.deliver.iter().map(|event| event.offset).collect()
    }

    #[test]
    fn what_comes_before_the_place_is_known_waits_for_it() {
        let mut sequence = Sequence::default();
        assert_eq!(sequence.event(Arc::new(event(5))), Step::default());
        assert_eq!(sequence.event(Arc::new(event(6))), Step::default());
        assert_eq!(offsets(&sequence.head(&"e".into(), 5)), [6]);
    }

    #[test]
    fn what_waits_for_the_place_must_be_of_its_log() {
        let mut sequence = Sequence::default();
        sequence.event(Arc::new(Event { epoch: "old".into(), ..event(4) }));
        let step = sequence.head(&"e".into(), 3);
        assert!(step.deliver.is_empty());
        assert!(!sequence.fetched("e", 1, 3, vec![]).missing, "the log does not have it");
        assert_eq!(offsets(&sequence.event(Arc::new(event(4)))), [4]);
    }

    #[test]
    fn it_knows_where_deliveries_began() {
        let mut sequence = Sequence::default();
        sequence.event(Arc::new(event(6)));
        sequence.head(&"e".into(), 7);
        sequence.head(&"e".into(), 5);
        assert_eq!(offsets(&sequence.event(Arc::new(event(8)))), [8]);
        assert_eq!(sequence.start(), 7);
    }

    #[test]
    fn a_gap_is_missing_until_the_log_has_filled_it() {
        let mut sequence = Sequence::default();
        sequence.head(&"e".into(), 1);
        let step = sequence.event(Arc::new(event(4)));
        assert!(step.missing && step.deliver.is_empty());
        let step = sequence.fetched("e", 1, 4, vec![event(2), event(3), event(4)]);
        assert_eq!(offsets(&step), [2, 3, 4]);
        assert!(!step.missing && !step.reset);
    }

    #[test]
    fn an_announcement_reveals_a_lost_last_event() {
        let mut sequence = Sequence::default();
        sequence.head(&"e".into(), 1);
        let announcement = Event { epoch: "e".into(), offset: 2, ..Event::default() };
        assert!(sequence.event(Arc::new(announcement)).missing);
        assert!(!sequence.event(Arc::new(event(2))).missing);
        assert!(sequence.head(&"e".into(), 3).missing);
    }

    #[test]
    fn what_only_ends_sessions_is_an_event() {
        let mut sequence = Sequence::default();
        sequence.head(&"e".into(), 1);
        let dismissal = Some(Dismissal::default());
        let step = sequence.event(Arc::new(Event { variants: Vec::new(), dismissal, ..event(2) }));
        assert_eq!((offsets(&step), step.missing), (vec![2], false));
    }

    #[test]
    fn another_epoch_or_a_pruned_log_is_told() {
        let mut sequence = Sequence::default();
        sequence.head(&"e".into(), 9);
        let mut other = event(3);
        other.epoch = "f".into();
        let step = sequence.event(Arc::new(other));
        assert!(step.reset && offsets(&step) == [3]);
        sequence.head(&"f".into(), 5);
        let step = sequence.fetched("f", 7, 8, vec![]);
        assert!(step.reset && step.missing);
    }

    proptest! {
        /// Lost, doubled and disordered events, then the log: each is delivered once, in order.
        #[test]
        fn everything_is_delivered_once_in_order(heard in prop::collection::vec(1_u64..40, 0..80)) {
            let mut sequence = Sequence::default();
            let mut delivered = offsets(&sequence.head(&"e".into(), 0));
            for offset in heard {
                delivered.extend(offsets(&sequence.event(Arc::new(event(offset)))));
            }
            let last = sequence.last().expect("a place");
            delivered.extend(offsets(&sequence.fetched("e", 1, 40, (last + 1..=40).map(event).collect())));
            prop_assert_eq!(delivered, (1..=40).collect::<Vec<_>>());
        }
    }
}
