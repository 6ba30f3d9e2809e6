//! Carrying out requests: what can be said at once is, and what takes its time is put in flight.

use std::future::Future;

use bytes::Bytes;
use carillon_bus::{RefusalKind, RequestError};
use carillon_contract::{
    Channel,
    messages::{FrameReply, FrameRequest, HistoryRequest, PresenceRequest},
};

use super::{
    Channels,
    answers::Answer,
    reply::{self, Problem},
    request::{Request, RequestId, What, Wish},
    subscription::{self, Subscription},
};
use crate::{
    gateway::Gateway,
    session::{
        SessionInfo,
        open::{Place, Query, open},
        pace,
    },
    shard::Key,
    spans,
    websocket::CloseReason,
};

/// The most channels that a connection of a back end is subscribed to.
const BACK_END_SUBSCRIPTIONS: usize = 10_000;

impl Channels {
    pub(super) fn start(&mut self, Request { id, what }: Request) {
        let (channel, wish) = match what {
            What::Refresh { token } => return self.identify(id, token),
            What::About(channel, wish) => (channel, wish),
        };
        self.settle(&channel);
        let started = match wish {
            Wish::Subscribe { since, query } => {
                let place = Place::InReply(id.clone());
                let query = Query { since, place, rest: query, ..Query::default() };
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
        if self.subscriptions.len() >= self.most_subscriptions() {
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

    /// How many channels it may be subscribed to: a back end has those of many users.
    fn most_subscriptions(&self) -> usize {
        match self.gateway.limits.quotas.subscriptions_per_connection {
            _ if self.info.is_back_end() => BACK_END_SUBSCRIPTIONS,
            0 => usize::MAX,
            most => most as usize,
        }
    }

    fn unsubscribe(&mut self, id: &RequestId, channel: &Channel) -> Result<(), Problem> {
        let subscription = self.subscriptions.remove(channel).ok_or(Problem::NOT_SUBSCRIBED)?;
        subscription.leave();
        self.say(&reply::unsubscribed(id, channel.as_str()));
        Ok(())
    }

    fn publish(&mut self, id: &RequestId, channel: &Channel, frame: Bytes) -> Result<(), Problem> {
        if self.info.is_back_end() {
            return Err(Problem::ONLY_LISTENS);
        }
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
        let span = spans::frame(subscription.info.endpoint);
        self.in_flight.push(Box::pin(async move {
            let outcome = span.scope(question).await;
            drop(span);
            // A long list is no reason to call a client slow. If that one is gone, nobody reads it.
            let _ = pace::written(&shard, carrier).await;
            answer(id, channel, key, outcome)
        }));
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
