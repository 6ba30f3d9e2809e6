//! The log: events that are appended, published, asked for, and lost.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use carillon_contract::{
    Channel, Subject,
    messages::{ChannelHead, Event, HeadsReply, HeadsRequest, HistoryReply, HistoryRequest, Variant},
};
use prost::Message;

use super::{
    StandIn,
    hold::{Held, Hold, hold, wait},
};

/// Events in one answer at most, and their bytes.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 1_000_000;

/// The logs of every service.
#[derive(Default)]
pub(super) struct Logs {
    epoch: u32,
    logs: BTreeMap<String, Log>,
    /// Each question about the past, as it arrived.
    asked: Vec<HistoryRequest>,
    history_holds: VecDeque<Hold>,
    /// Questions about the past that are being answered, and how many of those there were at most.
    busy: (usize, usize),
}

#[derive(Default)]
struct Log {
    events: Vec<Event>,
    /// Events that are no longer held.
    pruned: usize,
}

impl Logs {
    pub(super) fn epoch(&self) -> String {
        format!("e{}", self.epoch)
    }

    pub(super) fn head(&self, channel: &str) -> ChannelHead {
        let offset = self.logs.get(channel).map_or(0, |log| log.events.len() as u64);
        ChannelHead { channel: channel.to_owned(), offset }
    }

    fn history(&self, request: &HistoryRequest) -> HistoryReply {
        let (mut first, mut events) = (1, Vec::new());
        if let Some(log) = self.logs.get(&request.channel) {
            first = log.pruned as u64 + 1;
            let kept = log.events[log.pruned..].iter().filter(|event| event.offset > request.after);
            let mut room = PAGE_BYTES;
            let page = kept.take(PAGE.min(request.limit as usize)).take_while(|event| {
                let fits = room > 0;
                room = room.saturating_sub(event.encoded_len());
                fits
            });
            events = page.cloned().collect();
        }
        HistoryReply { epoch: self.epoch(), head: self.head(&request.channel).offset, first, events }
    }
}

impl StandIn {
    /// Appends an event, of which nobody is told.
    pub(crate) fn append(&self, channel: &Channel, json: impl Into<Bytes>) -> Event {
        self.append_event(channel, Event { variants: vec![Variant::json(json)], ..Event::default() })
    }

    /// Appends an event of any kind, of which nobody is told.
    pub(crate) fn append_event(&self, channel: &Channel, event: Event) -> Event {
        let logs = &mut self.state().logs;
        let epoch = logs.epoch();
        let log = logs.logs.entry(channel.as_str().to_owned()).or_default();
        let offset = log.events.len() as u64 + 1;
        let event = Event { channel: channel.as_str().to_owned(), epoch, offset, ..event };
        log.events.push(event.clone());
        event
    }

    pub(crate) async fn publish(&self, event: &Event) {
        let channel: Channel = event.channel.parse().expect("a channel");
        self.bus.publish(&Subject::live(&channel), event.encode_to_vec().into()).await.expect("published");
    }

    /// Appends an event and publishes it.
    pub(crate) async fn emit(&self, channel: &Channel, json: impl Into<Bytes>) -> Event {
        let event = self.append(channel, json);
        self.publish(&event).await;
        event
    }

    /// Appends an event of any kind and publishes it.
    pub(crate) async fn emit_event(&self, channel: &Channel, event: Event) -> Event {
        let event = self.append_event(channel, event);
        self.publish(&event).await;
        event
    }

    /// Publishes an event that no log keeps.
    pub(crate) async fn emit_ephemeral(&self, channel: &Channel, json: impl Into<Bytes>) {
        let variants = vec![Variant::json(json)];
        let event = Event { channel: channel.as_str().to_owned(), variants, ..Event::default() };
        self.publish(&event).await;
    }

    /// Loses every log. The next events are of another epoch.
    pub(crate) fn lose_logs(&self) {
        let logs = &mut self.state().logs;
        logs.epoch += 1;
        logs.logs.clear();
    }

    /// Drops a channel's oldest events from its log.
    pub(crate) fn prune(&self, channel: &Channel, count: usize) {
        self.state().logs.logs.entry(channel.as_str().to_owned()).or_default().pruned = count;
    }

    /// Holds the answer to the next question about the past, which is of when it was asked.
    pub(crate) fn hold_history(&self) -> Held {
        let (hold, held) = hold();
        self.state().logs.history_holds.push_back(hold);
        held
    }

    /// The questions about a channel's past, in order: after which offset, and for how many events.
    pub(crate) fn asked(&self, channel: &Channel) -> Vec<(u64, u32)> {
        let state = self.state();
        let asked = state.logs.asked.iter().filter(|request| request.channel == channel.as_str());
        asked.map(|request| (request.after, request.limit)).collect()
    }

    /// How many questions about the past were being answered at the same time, at most.
    pub(crate) fn most_asked_at_once(&self) -> usize {
        self.state().logs.busy.1
    }

    pub(super) fn heads(&self, request: &HeadsRequest) -> HeadsReply {
        let logs = &self.state().logs;
        let channels = request.channels.iter().map(|channel| logs.head(channel)).collect();
        HeadsReply { epoch: logs.epoch(), channels }
    }

    pub(super) async fn history(&self, request: HistoryRequest) -> HistoryReply {
        let (reply, hold) = {
            let logs = &mut self.state().logs;
            logs.busy.0 += 1;
            logs.busy.1 = logs.busy.1.max(logs.busy.0);
            let reply = logs.history(&request);
            logs.asked.push(request);
            (reply, logs.history_holds.pop_front())
        };
        wait(hold).await;
        self.state().logs.busy.0 -= 1;
        reply
    }
}
