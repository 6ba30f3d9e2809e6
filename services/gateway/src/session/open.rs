//! Opening a session: listen first, then have the owner accept, so that nothing falls between its
//! greeting and the stream of events.

use std::{collections::BTreeMap, rc::Rc};

use bytes::Bytes;
use carillon_contract::{
    Channel, Resource, Since,
    messages::{Accept, ChannelHead, HeadsRequest, OpenRequest, open_reply::Outcome},
};
use carillon_trace::TraceContext;

use super::{
    Framing, SessionInfo,
    channels::{RequestId, reply},
    frames, pace,
    replay::Replay,
};
use crate::{
    gateway::Gateway,
    server_sent,
    shard::{Key, Shard},
    spans,
    websocket::{self, Cause, CloseReason, Frame},
};

/// What a client asked for in its URL's query.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Where it left off.
    pub(crate) since: Option<Since>,
    pub(crate) place: Place,
    /// Everything else but the token, for the owner.
    pub(crate) rest: BTreeMap<String, String>,
    /// The trace in which it asked, which its headers say.
    pub(crate) caller: Option<TraceContext>,
}

/// How a client is told its place.
#[derive(Debug, Default)]
pub(crate) enum Place {
    /// In its owner's first frame, if there is one.
    #[default]
    InGreeting,
    /// There, or else in a frame of its own.
    Always,
    /// In the reply to this request of `carillon.v1`.
    InReply(RequestId),
}

/// Opens the session of a connection that its worker has taken in. Afterwards it is live.
///
/// # Errors
/// Why the connection is to be closed.
pub(super) async fn open(
    gateway: &Gateway,
    shard: &Rc<Shard>,
    key: Key,
    info: &SessionInfo,
    mut query: Query,
) -> Result<(), CloseReason> {
    let mut span = spans::opening(info.endpoint, query.caller.take());
    let opened = span.scope(listen_and_ask(gateway, shard, key, info, query)).await;
    opened.inspect_err(|reason| spans::refused(&mut span, reason))
}

async fn listen_and_ask(
    gateway: &Gateway,
    shard: &Rc<Shard>,
    key: Key,
    info: &SessionInfo,
    query: Query,
) -> Result<(), CloseReason> {
    for channel in &info.channels {
        gateway.hub.listen(shard.number(), channel).await.map_err(|_| CloseReason::UNAVAILABLE)?;
        shard.listening(key);
    }
    let Query { since, place, rest, .. } = query;
    let accept = if info.is_back_end() {
        heads(gateway, info).await?
    } else {
        enter(gateway, shard, key, info, rest).await?
    };
    // Those that it listens to: a subscription has one, whatever its endpoint has.
    let (epoch, greeted) = (&*accept.epoch, heard(info, &accept.channels));
    let heads = gateway.hub.join(epoch, greeted.clone()).await;
    let heads = heads.map_err(|_| CloseReason::UNAVAILABLE)?;
    // What it is answered depends on whether it has ended already.
    if let Some(reason) = shard.closing(key) {
        return Err(reason);
    }
    let resumes = since.is_some();
    let greeting = Greeting { shard, key, info, epoch, heads: &greeted, resumes };
    let replay = Replay { gateway, shard, key, info, epoch, greeted: &greeted, heads: &heads };
    let said = say(&greeting, &accept.greeting, &replay, (&place, since.as_ref())).await;
    match (said, &place) {
        // Its request is answered: whatever follows is said of the subscription.
        (Err(reason), Place::InReply(_)) => shard.end_subscription(key, reason),
        (said, _) => said?,
    }
    shard.release(key);
    shard.watch_token(key);
    Ok(())
}

/// Says all that goes before live events.
async fn say(
    greeting: &Greeting<'_>,
    frames: &[Bytes],
    replay: &Replay<'_>,
    (place, since): (&Place, Option<&Since>),
) -> Result<(), CloseReason> {
    greeting.say(frames, place).await?;
    let recovered = match since {
        // A client of binary frames asks its owner for what it lacks.
        Some(since) if !greeting.info.is_binary() => replay.recover(since).await?,
        _ => false,
    };
    if recovered { Ok(()) } else { replay.catch_up().await }
}

/// Has the owner let a client in, and say how it is greeted.
async fn enter(
    gateway: &Gateway,
    shard: &Shard,
    key: Key,
    info: &SessionInfo,
    query: BTreeMap<String, String>,
) -> Result<Accept, CloseReason> {
    let generation = gateway.leases.generation(info.endpoint);
    shard.asked(key);
    let accept = ask(gateway, info, query).await?;
    shard.accepted(key);
    gateway.leases.accepted(info.endpoint, generation);
    require(shard, key, &accept.requires)?;
    Ok(accept)
}

/// What takes the place of that for a back end: it may listen by its scope, is greeted with nothing, and its owner
/// need not know.
async fn heads(gateway: &Gateway, info: &SessionInfo) -> Result<Accept, CloseReason> {
    let owner = info.channels.first().map(Channel::owner).ok_or(CloseReason::UNAVAILABLE)?;
    let channels = info.channels.iter().map(|channel| channel.as_str().to_owned()).collect();
    let reply = gateway.bus.call(owner, &HeadsRequest { channels }).await.map_err(|error| {
        tracing::warn!(%owner, %error, "a back end's subscription could not be opened");
        CloseReason::UNAVAILABLE
    })?;
    Ok(Accept { epoch: reply.epoch, channels: reply.channels, ..Accept::default() })
}

async fn ask(
    gateway: &Gateway,
    info: &SessionInfo,
    query: BTreeMap<String, String>,
) -> Result<Accept, CloseReason> {
    let request = OpenRequest { session: Some(info.session()), query };
    let reply = gateway.bus.call(info.endpoint.owner, &request).await.map_err(|error| {
        tracing::warn!(endpoint = info.endpoint.name, %error, "a session could not be opened");
        CloseReason::UNAVAILABLE
    })?;
    match reply.outcome {
        Some(Outcome::Accept(accept)) => Ok(accept),
        Some(Outcome::Reject(close)) => Err(CloseReason::of_owner(close.code, close.reason)),
        None => Err(CloseReason::fixed(Cause::Internal, 1011, "the service gave no answer")),
    }
}

/// The owner may need a membership for as long as the connection lives.
fn require(shard: &Shard, key: Key, resource: &str) -> Result<(), CloseReason> {
    if resource.is_empty() {
        return Ok(());
    }
    // One that nobody can end would let its holder stay for ever.
    if let Err(error) = resource.parse::<Resource>() {
        tracing::error!(resource, %error, "a service requires a membership that there can't be");
        return Err(CloseReason::fixed(Cause::Internal, 1011, "the service gave no answer that can be read"));
    }
    shard.require(key, resource)
}

/// The heads of the channels that a connection listens to.
fn heard(info: &SessionInfo, heads: &[ChannelHead]) -> Vec<ChannelHead> {
    let is_heard = |head: &&ChannelHead| info.channels.iter().any(|channel| channel.as_str() == head.channel);
    heads.iter().filter(is_heard).cloned().collect()
}

/// What goes before any event.
struct Greeting<'a> {
    shard: &'a Shard,
    key: Key,
    info: &'a SessionInfo,
    epoch: &'a str,
    heads: &'a [ChannelHead],
    /// What was missed is to follow.
    resumes: bool,
}

impl Greeting<'_> {
    /// Says it. The first frame names the place from which to resume; a client that expects no greeting
    /// gets none, unless it asked for its place.
    async fn say(&self, frames: &[Bytes], place: &Place) -> Result<(), CloseReason> {
        for channel in &self.info.channels {
            if let Some(head) = self.heads.iter().find(|head| head.channel == channel.as_str()) {
                self.shard.covered(self.key, channel, head.offset);
            }
        }
        if let Place::InReply(id) = place {
            let no_head =
                CloseReason::fixed(Cause::Internal, 1011, "the service gave no place in the channel");
            let head = self.heads.first().ok_or(no_head)?;
            let reply = reply::subscribed(id, &head.channel, self.epoch, head.offset);
            pace::send(self.shard, self.key, websocket::text(&reply)).await?;
        }
        for (index, payload) in frames.iter().enumerate() {
            let is_first = index == 0 && matches!(self.info.framing, Framing::Text | Framing::Events);
            let frame = if is_first { self.with_place(payload) } else { self.info.frame(payload) };
            pace::send(self.shard, self.key, frame).await?;
        }
        if frames.is_empty() && matches!(place, Place::Always) && !self.info.is_binary() {
            self.shard.send(self.key, self.with_place(&frames::place()));
        }
        Ok(())
    }

    fn with_place(&self, json: &[u8]) -> Frame {
        let heads: Vec<(&str, u64)> =
            self.heads.iter().map(|head| (head.channel.as_str(), head.offset)).collect();
        match self.info.framing {
            Framing::Events => server_sent::greeting(json, self.epoch, &heads, self.resumes),
            _ => websocket::greeting(json, self.epoch, &heads),
        }
    }
}
