//! The log of the one channel that is measured, in memory.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use carillon_contract::{
    Channel,
    messages::{ChannelHead, Event, HeadsReply, HeadsRequest, HistoryReply, HistoryRequest, Variant},
};

/// The identity of this log.
pub(crate) const EPOCH: &str = "bench";

/// Events that are kept: more than are ever in flight.
const KEPT: usize = 4_096;

/// Shared by whoever publishes and whoever answers a gateway's questions.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChannelLog(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    head: u64,
    recent: VecDeque<Event>,
}

impl ChannelLog {
    /// Appends a durable event, ready to be published.
    pub(crate) fn append(&self, json: Vec<u8>) -> Event {
        let mut state = self.state();
        state.head += 1;
        let event = Event {
            channel: Channel::everyone().as_str().to_owned(),
            epoch: EPOCH.to_owned(),
            offset: state.head,
            at: now(),
            variants: vec![Variant::json(json)],
            ..Event::default()
        };
        if state.recent.len() == KEPT {
            state.recent.pop_front();
        }
        state.recent.push_back(event.clone());
        event
    }

    /// The offset of a channel's last event: no other channel has any.
    pub(crate) fn head(&self, channel: &str) -> ChannelHead {
        let offset = if channel == Channel::everyone().as_str() { self.state().head } else { 0 };
        ChannelHead { channel: channel.to_owned(), offset }
    }

    pub(crate) fn heads(&self, request: &HeadsRequest) -> HeadsReply {
        let channels = request.channels.iter().map(|channel| self.head(channel)).collect();
        HeadsReply { epoch: EPOCH.to_owned(), channels }
    }

    pub(crate) fn history(&self, request: &HistoryRequest) -> HistoryReply {
        let head = self.head(&request.channel).offset;
        let state = self.state();
        let first = if head == 0 { 1 } else { state.recent.front().map_or(head + 1, |event| event.offset) };
        let missed = state.recent.iter().filter(|event| event.offset > request.after && event.offset <= head);
        let events = missed.take(request.limit as usize).cloned().collect();
        HistoryReply { epoch: EPOCH.to_owned(), head, first, events }
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
        (0..3).for_each(|_| drop(log.append(b"{}".to_vec())));
        let ask = |channel: &str, after| {
            let request = HistoryRequest { channel: channel.to_owned(), after, limit: 10 };
            let reply = log.history(&request);
            (reply.head, reply.first, reply.events.iter().map(|event| event.offset).collect::<Vec<_>>())
        };
        assert_eq!(ask("everyone", 1), (3, 1, vec![2, 3]));
        assert_eq!(ask("access", 0), (0, 1, vec![]));
    }
}
