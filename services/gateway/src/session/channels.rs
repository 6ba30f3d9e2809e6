//! `carillon.v1`: many channels on one connection. Each that a client subscribes to is a session of its own, at the
//! endpoint that speaks for the channel: opened, fed and ended as if it had a socket of its own. So owners see
//! no difference. What is specific is here: requests with ids ([`request`]), what answers them ([`reply`]), and
//! the channel's name around all that owners say ([`Framing::Channels`](super::Framing)).
//!
//! `proto/asyncapi.yaml` specifies it.

mod answers;
mod carrying_out;
pub(super) mod reply;
mod request;
mod subscription;

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    rc::Rc,
    sync::Arc,
};

use bytes::Bytes;
use carillon_contract::Channel;
use futures_util::{StreamExt, stream::FuturesUnordered};

pub(crate) use request::RequestId;

use super::{SessionInfo, meter::Meter, talk::Talk};
use crate::{
    gateway::Gateway,
    shard::{Key, Shard},
    websocket::CloseReason,
};
use answers::Answer;
use reply::Problem;
use request::{Heard, Request};
use subscription::Subscription;

/// Requests that wait for their turn. Above that nothing is read from the socket.
const WAITING: usize = 16;

/// Requests that are answered at the same time, each about another channel.
const IN_FLIGHT: usize = 16;

type InFlight = Pin<Box<dyn Future<Output = Answer>>>;

/// A subscription that is over, though its client didn't ask for that.
type Ending = Pin<Box<dyn Future<Output = (Channel, Key, Option<CloseReason>)>>>;

/// A conversation in `carillon.v1`.
pub(super) struct Channels {
    gateway: Arc<Gateway>,
    shard: Rc<Shard>,
    key: Key,
    info: Rc<SessionInfo>,
    subscriptions: HashMap<Channel, Subscription>,
    /// How many there have been.
    subscribed: u64,
    waiting: VecDeque<Request>,
    in_flight: FuturesUnordered<InFlight>,
    endings: FuturesUnordered<Ending>,
    meter: Meter,
}

/// Greets a client.
pub(super) fn welcome(shard: &Shard, key: Key, info: &SessionInfo) {
    shard.tell(key, &reply::connected(info));
    shard.release(key);
    shard.watch_token(key);
}

impl Channels {
    pub(super) fn new(gateway: Arc<Gateway>, shard: Rc<Shard>, key: Key, info: Rc<SessionInfo>) -> Self {
        Self {
            gateway,
            shard,
            key,
            info,
            subscriptions: HashMap::new(),
            subscribed: 0,
            waiting: VecDeque::new(),
            in_flight: FuturesUnordered::new(),
            endings: FuturesUnordered::new(),
            meter: Meter::default(),
        }
    }

    fn hear(&mut self, heard: Heard) {
        self.gateway.metrics.frames_received.with_label_values(&[self.info.endpoint.name]).inc();
        self.shard.received(self.key);
        if !self.info.is_back_end()
            && let Err(pause) = self.meter.count(&self.gateway)
        {
            let (id, channel) = heard.about();
            let problem = Problem::rate_limited(pause);
            return self.say(&reply::error(id, channel.map(Channel::as_str), &problem));
        }
        match heard {
            Heard::Ping(id, timestamp) => self.say(&reply::pong(id.as_deref(), timestamp.as_deref())),
            Heard::Request(request) => self.waiting.push_back(request),
            Heard::Invalid(id, problem) => self.say(&reply::error(id.as_ref(), None, &problem)),
        }
    }

    /// Whether a request has to wait for the one before it about the same channel.
    fn has_to_wait(&self, request: &Request) -> bool {
        let subscription = request.what.channel().and_then(|channel| self.subscriptions.get(channel));
        subscription.is_some_and(|subscription| subscription.is_busy)
    }

    /// The subscription to a channel, unless it is another one by now.
    fn subscription(&mut self, channel: &Channel, key: Key) -> Option<&mut Subscription> {
        self.subscriptions.get_mut(channel).filter(|subscription| subscription.key == key)
    }

    fn refuse(&self, id: &RequestId, channel: Option<&Channel>, problem: &Problem) {
        self.say(&reply::error(Some(id), channel.map(Channel::as_str), problem));
    }

    fn say(&self, json: &[u8]) {
        self.shard.tell(self.key, json);
    }
}

impl Talk for Channels {
    fn connection(&self) -> (&Shard, Key) {
        (&self.shard, self.key)
    }

    fn has_room(&self) -> bool {
        self.waiting.len() < WAITING
    }

    fn start_next(&mut self) {
        let mut index = 0;
        while index < self.waiting.len() && self.in_flight.len() < IN_FLIGHT {
            if self.has_to_wait(&self.waiting[index]) {
                index += 1;
            } else if let Some(request) = self.waiting.remove(index) {
                self.start(request);
            }
        }
        // An idle connection holds no queue.
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }

    fn text(&mut self, text: Bytes) -> Result<(), CloseReason> {
        request::read(&text).into_iter().for_each(|heard| self.hear(heard));
        Ok(())
    }

    fn binary(&mut self, _: Bytes) {
        self.hear(Heard::Invalid(None, Problem::BINARY));
    }

    fn is_waiting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    async fn answered(&mut self) {
        tokio::select! {
            Some(answer) = self.in_flight.next() => self.pass_on(answer),
            Some((channel, key, reason)) = self.endings.next() => self.ended(&channel, key, reason),
            else => std::future::pending().await,
        }
    }
}
