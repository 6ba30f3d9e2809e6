//! The logs of the channels that are measured, in memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use carillon_contract::{
    Channel,
    messages::{ChannelHead, Event, HeadsReply, HeadsRequest, HistoryReply, HistoryRequest, Variant},
};

/// The identity of this log.
pub(crate) const EPOCH: &str = "bench";

/// Events that are kept of each channel: more than are ever in flight.
const KEPT: usize = 1_024;

/// Shared by whoever publishes and whoever answers a gateway's questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChannelLog(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    channels: HashMap<String, Events>,
    asked: u64,
}

/// What was appended to one channel.
#[derive(Debug, Default)]
struct Events {
    head: u64,
    recent: VecDeque<Event>,
}

impl ChannelLog {
    /// Appends a durable event, ready to be published.
    pub(crate) fn append(&self, channel: &Channel, json: Vec<u8>) -> Event {
        let mut state = self.state();
        let events = state.channels.entry(channel.as_str().to_owned()).or_default();
        events.head += 1;
        let event = Event {
            channel: channel.as_str().to_owned(),
            epoch: EPOCH.to_owned(),
            offset: events.head,
            at: now(),
            variants: vec![Variant::json(json)],
            ..Event::default()
        };
        if events.recent.len() == KEPT {
            events.recent.pop_front();
        }
        events.recent.push_back(event.clone());
        event
    }

    /// How often gateways have asked for events.
    pub(crate) fn asked(&self) -> u64 {
        self.state().asked
    }

    /// The offset of a channel's last event.
    pub(crate) fn head(&self, channel: &str) -> ChannelHead {
        let offset = self.state().channels.get(channel).map_or(0, |events| events.head);
        ChannelHead { channel: channel.to_owned(), offset }
    }

    pub(crate) fn heads(&self, request: &HeadsRequest) -> HeadsReply {
        let channels = request.channels.iter().map(|channel| self.head(channel)).collect();
        HeadsReply { epoch: EPOCH.to_owned(), channels }
    }

    pub(crate) fn history(&self, request: &HistoryRequest) -> HistoryReply {
        let mut state = self.state();
        state.asked += 1;
        let nothing = Events::default();
        let Events { head, recent } = state.channels.get(&request.channel).unwrap_or(&nothing);
        let first = recent.front().map_or(head + 1, |event| event.offset);
        let missed = recent.iter().filter(|event| event.offset > request.after);
        let events = missed.take(request.limit as usize).cloned().collect();
        HistoryReply { epoch: EPOCH.to_owned(), head: *head, first, events }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Microseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_tells_what_was_appended_after_an_offset() {
        let log = ChannelLog::default();
        let bench = Channel::org("bench").expect("a channel");
        (0..3).for_each(|_| drop(log.append(&bench, b"{}".to_vec())));
        let ask = |channel: &str, after| {
            let request = HistoryRequest { channel: channel.to_owned(), after, limit: 10 };
            let reply = log.history(&request);
            (reply.head, reply.first, reply.events.iter().map(|event| event.offset).collect::<Vec<_>>())
        };
        assert_eq!(ask("org.bench", 1), (3, 1, vec![2, 3]));
        assert_eq!(ask("access", 0), (0, 1, vec![]));
        assert_eq!(log.asked(), 2);
    }
}
