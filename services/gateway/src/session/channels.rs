//! `carillon.v1`: many channels on one connection. Each that a client subscribes to is a session of its own, at the
//! endpoint that speaks for the channel: opened, fed and ended as if it had a socket of its own. So owners see
//! no difference. What is specific is here: requests with ids ([`request`]), what answers them ([`reply`]), and
//! the channel's name around all that owners say ([`Framing::Channels`](super::Framing)).
//!
//! `proto/asyncapi.yaml` specifies it.

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
use carillon_bus::{RefusalKind, RequestError};
use carillon_contract::{
    Channel,
    messages::{FrameReply, FrameRequest, HistoryRequest, Identity, PresenceRequest},
};
use futures_util::{StreamExt, stream::FuturesUnordered};

pub(crate) use request::RequestId;

use super::{
    SessionInfo,
    meter::Meter,
    open::{Place, Query, open},
    pace,
    refresh::{Refreshed, refresh},
    talk::{End, Talk},
};
use crate::{
    authenticator::Denied,
    gateway::Gateway,
    shard::{Key, Shard},
    websocket::{self, CloseReason, Incoming},
};
use reply::Problem;
use request::{Heard, Request, What, Wish};
use subscription::Subscription;

/// Requests that wait for their turn. Above that nothing is read from the socket.
const WAITING: usize = 16;

/// Requests that are answered at the same time, each about another channel.
const IN_FLIGHT: usize = 16;

/// The answer to a request that took its time.
enum Answer {
    Opened(RequestId, Channel, Key, Result<(), CloseReason>),
    /// What to say to the client.
    Told(RequestId, Channel, Key, Result<Vec<u8>, Problem>),
    /// The same, which is for whoever is still subscribed.
    Page(RequestId, Channel, Key, Result<Vec<u8>, Problem>),
    Refresh(RequestId, Result<Box<Identity>, Denied>),
}

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
        let counted = self.meter.count(&self.gateway).map_err(Problem::rate_limited);
        match (heard, counted) {
            (Heard::Ping(id, timestamp), Ok(())) => {
                self.say(&reply::pong(id.as_deref(), timestamp.as_deref()))
            }
            (Heard::Request(request), Ok(())) => self.waiting.push_back(request),
            (Heard::Invalid(id, problem), Ok(())) => self.say(&reply::error(id.as_ref(), None, &problem)),
            (Heard::Request(Request { id, what }), Err(problem)) => {
                self.refuse(&id, what.channel(), &problem);
            }
            (Heard::Ping(..), Err(problem)) => self.say(&reply::error(None, None, &problem)),
            (Heard::Invalid(id, _), Err(problem)) => self.say(&reply::error(id.as_ref(), None, &problem)),
        }
    }

    /// Whether a request has to wait for the one before it about the same channel.
    fn has_to_wait(&self, request: &Request) -> bool {
        let subscription = request.what.channel().and_then(|channel| self.subscriptions.get(channel));
        subscription.is_some_and(|subscription| subscription.is_busy)
    }

    fn start(&mut self, Request { id, what }: Request) {
        let (channel, wish) = match what {
            What::Refresh { token } => return self.identify(id, token),
            What::About(channel, wish) => (channel, wish),
        };
        self.settle(&channel);
        let started = match wish {
            Wish::Subscribe { since, query } => {
                let query = Query { since, place: Place::InReply(id.clone()), rest: query };
                self.subscribe(&id, &channel, query)
            }
            Wish::Unsubscribe => self.unsubscribe(&id, &channel),
            Wish::Publish { frame } => self.publish(&id, &channel, frame),
            Wish::History { after, limit } => self.history(&id, &channel, after, limit),
            Wish::Presence { after, limit } => self.presence(&id, &channel, after, limit),
        };
        if let Err(problem) = started {
            self.refuse(&id, Some(&channel), &problem);
        }
    }

    fn identify(&mut self, id: RequestId, token: String) {
        let gateway = self.gateway.clone();
        self.in_flight.push(Box::pin(async move {
            Answer::Refresh(id, gateway.authenticator.identify(&token).await.map(Box::new))
        }));
    }

    fn subscribe(&mut self, id: &RequestId, channel: &Channel, query: Query) -> Result<(), Problem> {
        if self.subscriptions.contains_key(channel) {
            return Err(Problem::ALREADY_SUBSCRIBED);
        }
        let most = self.gateway.limits.quotas.subscriptions_per_connection;
        if most > 0 && self.subscriptions.len() >= most as usize {
            self.gateway.metrics.limited.with_label_values(&["subscriptions"]).inc();
            return Err(Problem::TOO_MANY);
        }
        let info = subscription::session(&self.gateway, &self.info, self.subscribed, channel)?;
        self.subscribed += 1;
        let subscription = Subscription::new(&self.gateway, &self.shard, self.key, info);
        let (gateway, shard, key) = (self.gateway.clone(), self.shard.clone(), subscription.key);
        let (id, name, info) = (id.clone(), channel.clone(), subscription.info.clone());
        self.subscriptions.insert(channel.clone(), subscription);
        self.in_flight.push(Box::pin(async move {
            let outcome = open(&gateway, &shard, key, &info, query).await;
            Answer::Opened(id, name, key, outcome)
        }));
        Ok(())
    }

    fn unsubscribe(&mut self, id: &RequestId, channel: &Channel) -> Result<(), Problem> {
        let subscription = self.subscriptions.remove(channel).ok_or(Problem::NOT_SUBSCRIBED)?;
        subscription.leave();
        self.say(&reply::unsubscribed(id, channel.as_str()));
        Ok(())
    }

    fn publish(&mut self, id: &RequestId, channel: &Channel, frame: Bytes) -> Result<(), Problem> {
        let subscription = self.subscriptions.get_mut(channel).ok_or(Problem::NOT_SUBSCRIBED)?;
        let request = subscription.request(frame);
        let (gateway, shard, name) = (self.gateway.clone(), self.shard.clone(), channel.clone());
        let (request_id, info, key) = (id.clone(), subscription.info.clone(), subscription.key);
        self.ask(id, channel, Answer::Told, async move {
            let reply = ask_owner(&gateway, &info, request).await?;
            if let Some(close) = reply.close {
                shard.close(key, CloseReason::of_owner(close.code, close.reason));
            }
            Ok(reply::published(&request_id, name.as_str(), reply.frames.iter().map(|frame| &**frame)))
        });
        Ok(())
    }

    fn history(&mut self, id: &RequestId, channel: &Channel, after: u64, limit: u32) -> Result<(), Problem> {
        let subscription = self.subscriptions.get(channel).ok_or(Problem::NOT_SUBSCRIBED)?;
        let request = HistoryRequest { channel: channel.as_str().to_owned(), after, limit };
        let (gateway, owner, format) = (self.gateway.clone(), channel.owner(), subscription.info.format());
        let (request_id, name) = (id.clone(), channel.clone());
        self.ask(id, channel, Answer::Page, async move {
            let reply = gateway.bus.call(owner, &request).await.map_err(|error| unanswered(&error))?;
            Ok(reply::history(&request_id, name.as_str(), format, &reply))
        });
        Ok(())
    }

    fn presence(
        &mut self,
        id: &RequestId,
        channel: &Channel,
        after: String,
        limit: u32,
    ) -> Result<(), Problem> {
        let subscription = self.subscriptions.get(channel).ok_or(Problem::NOT_SUBSCRIBED)?;
        if !subscription.info.endpoint.presence {
            return Err(Problem::NO_PRESENCE);
        }
        let request = PresenceRequest { channel: channel.as_str().to_owned(), after, limit };
        let (gateway, owner, name) = (self.gateway.clone(), channel.owner(), channel.clone());
        let request_id = id.clone();
        self.ask(id, channel, Answer::Page, async move {
            let reply = gateway.bus.call(owner, &request).await.map_err(|error| unanswered(&error))?;
            Ok(reply::presence(&request_id, name.as_str(), &reply))
        });
        Ok(())
    }

    /// Has a subscription's owner asked for something; other requests about the channel wait for that.
    fn ask(
        &mut self,
        id: &RequestId,
        channel: &Channel,
        answer: fn(RequestId, Channel, Key, Result<Vec<u8>, Problem>) -> Answer,
        question: impl Future<Output = Result<Vec<u8>, Problem>> + 'static,
    ) {
        let Some(subscription) = self.subscriptions.get_mut(channel) else { return };
        subscription.is_busy = true;
        let (id, channel, key) = (id.clone(), channel.clone(), subscription.key);
        let (shard, carrier) = (self.shard.clone(), self.key);
        self.in_flight.push(Box::pin(async move {
            let outcome = question.await;
            // A long list is no reason to call a client slow. If that one is gone, nobody reads it.
            let _ = pace::written(&shard, carrier).await;
            answer(id, channel, key, outcome)
        }));
    }

    fn pass_on(&mut self, answer: Answer) {
        match answer {
            Answer::Opened(id, channel, key, outcome) => self.opened(&id, channel, key, outcome),
            Answer::Told(id, channel, key, outcome) => self.told(&id, &channel, key, outcome),
            Answer::Page(id, channel, key, outcome) => {
                self.settle(&channel);
                let is_subscribed = self.subscription(&channel, key).is_some();
                let outcome = if is_subscribed { outcome } else { Err(Problem::NOT_SUBSCRIBED) };
                self.told(&id, &channel, key, outcome);
            }
            Answer::Refresh(id, outcome) => self.refresh(&id, outcome),
        }
    }

    fn told(&mut self, id: &RequestId, channel: &Channel, key: Key, outcome: Result<Vec<u8>, Problem>) {
        if let Some(subscription) = self.subscription(channel, key) {
            subscription.is_busy = false;
        }
        match outcome {
            Ok(reply) => self.shard.send_in_turn(self.key, websocket::text(&reply)),
            Err(problem) => self.refuse(id, Some(channel), &problem),
        }
    }

    fn opened(&mut self, id: &RequestId, channel: Channel, key: Key, outcome: Result<(), CloseReason>) {
        let Some(subscription) = self.subscription(&channel, key) else { return };
        let endpoint = subscription.info.endpoint;
        match outcome {
            Ok(()) => {
                subscription.is_busy = false;
                subscription.opened();
                self.endings.push(Box::pin(ending(self.shard.clone(), channel, key)));
            }
            Err(reason) => {
                self.shard.end_subscription(key, reason.clone());
                // What came between may be what it was really ended by.
                let reason = self.shard.closing(key).unwrap_or(reason);
                self.subscriptions.remove(&channel);
                self.refuse(id, Some(&channel), &Problem::of_close(&reason, endpoint));
            }
        }
    }

    fn refresh(&mut self, id: &RequestId, outcome: Result<Box<Identity>, Denied>) {
        match refresh(&self.gateway, &self.shard, self.key, &self.info, outcome) {
            Refreshed::Until(info, left) => {
                if let Some(identity) = &info.identity {
                    self.subscriptions.values_mut().for_each(|subscription| subscription.refresh(identity));
                }
                self.info = info;
                self.say(&reply::refreshed(id, left));
            }
            Refreshed::Refused(why) => self.refuse(id, None, &Problem::refresh(why)),
            Refreshed::Over => {}
        }
    }

    /// Sees to it that a subscription which is being closed is over.
    fn settle(&mut self, channel: &Channel) {
        let Some(key) = self.subscriptions.get(channel).map(|subscription| subscription.key) else { return };
        if let Some(reason) = self.shard.closing(key) {
            self.ended(channel, key, Some(reason));
        }
    }

    fn ended(&mut self, channel: &Channel, key: Key, reason: Option<CloseReason>) {
        let (Some(subscription), Some(reason)) = (self.subscription(channel, key), reason) else { return };
        let problem = Problem::of_close(&reason, subscription.info.endpoint);
        self.subscriptions.remove(channel);
        self.say(&reply::ended(channel.as_str(), &problem));
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
    fn has_room(&self) -> bool {
        self.waiting.len() < WAITING
    }

    fn is_held_up(&self) -> bool {
        self.shard.state(self.key).is_some_and(|state| state.is_blocked)
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

    fn heard(&mut self, incoming: Incoming) -> Option<End> {
        match incoming {
            Incoming::Text(text) => request::read(&text).into_iter().for_each(|heard| self.hear(heard)),
            Incoming::Binary(_) => self.hear(Heard::Invalid(None, Problem::BINARY)),
            Incoming::Ping(payload) => self.shard.send(self.key, websocket::pong(&payload)),
            Incoming::Pong => {}
            Incoming::Close(code) => return Some(End::Theirs(code)),
        }
        None
    }

    fn end(&self, reason: CloseReason) -> End {
        self.shard.close(self.key, reason);
        End::Ours
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

/// Asks the owner what becomes of a frame. What it answers in parts is one answer.
async fn ask_owner(
    gateway: &Gateway,
    info: &SessionInfo,
    mut request: FrameRequest,
) -> Result<FrameReply, Problem> {
    let mut frames = Vec::new();
    loop {
        let reply =
            gateway.bus.call(info.endpoint.owner, &request).await.map_err(|error| unanswered(&error))?;
        frames.extend(reply.frames.iter().cloned());
        if reply.more.is_empty() {
            return Ok(FrameReply { frames, ..reply });
        }
        request.after = reply.more;
    }
}

fn unanswered(error: &RequestError) -> Problem {
    match error {
        RequestError::Refused(refusal) if refusal.kind == RefusalKind::Malformed => {
            Problem::invalid(refusal.message.clone())
        }
        _ => {
            tracing::warn!(%error, "a request of a client was not answered");
            Problem::UNAVAILABLE
        }
    }
}

/// Waits until a subscription is closed; `None` if it is gone because its client wanted that.
async fn ending(shard: Rc<Shard>, channel: Channel, key: Key) -> (Channel, Key, Option<CloseReason>) {
    while shard.state(key).is_some() {
        if let Some(reason) = shard.closing(key) {
            return (channel, key, Some(reason));
        }
        shard.changed(key).await;
    }
    (channel, key, None)
}
