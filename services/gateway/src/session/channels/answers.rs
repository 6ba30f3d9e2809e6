//! What becomes of requests that took their time, and of subscriptions that end.

use std::rc::Rc;

use carillon_contract::{Channel, messages::Identity};

use super::{
    Channels,
    reply::{self, Problem},
    request::RequestId,
};
use crate::{
    authenticator::Denied,
    session::refresh::{Refreshed, refresh},
    shard::{Key, Shard},
    websocket::{self, CloseReason},
};

/// The answer to a request that took its time.
pub(super) enum Answer {
    Opened(RequestId, Channel, Key, Result<(), CloseReason>),
    /// What to say to the client.
    Told(RequestId, Channel, Key, Result<Vec<u8>, Problem>),
    /// The same, which is for whoever is still subscribed.
    Page(RequestId, Channel, Key, Result<Vec<u8>, Problem>),
    Refresh(RequestId, Result<Box<Identity>, Denied>),
}

impl Channels {
    pub(super) fn pass_on(&mut self, answer: Answer) {
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
    pub(super) fn settle(&mut self, channel: &Channel) {
        let Some(key) = self.subscriptions.get(channel).map(|subscription| subscription.key) else { return };
        if let Some(reason) = self.shard.closing(key) {
            self.ended(channel, key, Some(reason));
        }
    }

    pub(super) fn ended(&mut self, channel: &Channel, key: Key, reason: Option<CloseReason>) {
        let (Some(subscription), Some(reason)) = (self.subscription(channel, key), reason) else { return };
        let problem = Problem::of_close(&reason, subscription.info.endpoint);
        self.subscriptions.remove(channel);
        self.say(&reply::ended(channel.as_str(), &problem));
    }
}

/// Waits until a subscription is closed; `None` if it is gone because its client wanted that.
pub(super) async fn ending(
    shard: Rc<Shard>,
    channel: Channel,
    key: Key,
) -> (Channel, Key, Option<CloseReason>) {
    while shard.state(key).is_some() {
        if let Some(reason) = shard.closing(key) {
            return (channel, key, Some(reason));
        }
        shard.changed(key).await;
    }
    (channel, key, None)
}
