//! Opening a session: listen first, then have the owner accept, so that nothing falls between its
//! greeting and the stream of events.

use std::{collections::BTreeMap, rc::Rc};

use carillon_contract::{
    Resource, Since,
    messages::{Accept, OpenRequest, open_reply::Outcome},
};

use super::{SessionInfo, frames, pace, replay::Replay};
use crate::{
    gateway::Gateway,
    shard::{Key, Shard},
    websocket::{self, Cause, CloseReason},
};

/// What a client asked for in its URL's query.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Where it left off.
    pub(crate) since: Option<Since>,
    /// It asks to be told its place, also where its owner greets with nothing.
    pub(crate) wants_place: bool,
    /// Everything else but the token, for the owner.
    pub(crate) rest: BTreeMap<String, String>,
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
    query: Query,
) -> Result<(), CloseReason> {
    for channel in &info.channels {
        gateway.hub.listen(shard.number(), channel).await.map_err(|_| CloseReason::UNAVAILABLE)?;
        shard.listening(key);
    }
    let generation = gateway.leases.generation(info.endpoint);
    shard.asked(key);
    let accept = ask(gateway, info, query.rest).await?;
    shard.accepted(key);
    gateway.leases.accepted(info.endpoint, generation);
    require(shard, key, &accept.requires)?;
    let heads = gateway.hub.join(&accept.epoch, accept.channels.clone()).await;
    let heads = heads.map_err(|_| CloseReason::UNAVAILABLE)?;
    greet(shard, key, info, &accept, query.wants_place).await?;
    let (epoch, greeted) = (&*accept.epoch, &*accept.channels);
    let replay = Replay { gateway, shard, key, info, epoch, greeted, heads: &heads };
    let recovered = match &query.since {
        // A client of binary frames asks its owner for what it lacks.
        Some(since) if !info.is_binary() => replay.recover(since).await?,
        _ => false,
    };
    if !recovered {
        replay.catch_up().await?;
    }
    shard.release(key);
    shard.watch_token(key);
    Ok(())
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

/// Says what goes before any event. The first frame names the place from which to resume; a client
/// that expects no greeting gets none, unless it asked for its place.
async fn greet(
    shard: &Shard,
    key: Key,
    info: &SessionInfo,
    accept: &Accept,
    wants_place: bool,
) -> Result<(), CloseReason> {
    for channel in &info.channels {
        if let Some(head) = accept.channels.iter().find(|head| head.channel == channel.as_str()) {
            shard.covered(key, channel, head.offset);
        }
    }
    let heads: Vec<(&str, u64)> =
        accept.channels.iter().map(|head| (head.channel.as_str(), head.offset)).collect();
    let with_place = |json: &[u8]| websocket::greeting(json, &accept.epoch, &heads);
    for (index, payload) in accept.greeting.iter().enumerate() {
        let is_first = index == 0 && !info.is_binary();
        let frame = if is_first { with_place(payload) } else { info.frame(payload) };
        pace::send(shard, key, frame).await?;
    }
    if accept.greeting.is_empty() && wants_place && !info.is_binary() {
        shard.send(key, with_place(&frames::place()));
    }
    Ok(())
}
