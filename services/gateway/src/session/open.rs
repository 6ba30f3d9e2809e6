//! Opening a session: listen first, then have the owner accept, so that nothing falls between its
//! greeting and the stream of events.

use std::{collections::BTreeMap, rc::Rc};

use carillon_contract::{
    Since,
    messages::{Accept, OpenRequest, open_reply::Outcome},
};

use super::{SessionInfo, frames, replay::Replay};
use crate::{
    gateway::Gateway,
    shard::{Key, Shard},
    websocket::{self, CloseReason},
};

/// What a client asked for in its URL's query.
#[derive(Debug, Default)]
pub(crate) struct Query {
    /// Where it left off.
    pub(crate) since: Option<Since>,
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
    let accept = ask(gateway, info, query.rest).await?;
    let heads = gateway.hub.join(&accept.epoch, accept.channels.clone()).await;
    let heads = heads.map_err(|_| CloseReason::UNAVAILABLE)?;
    greet(shard, key, info, &accept);
    let replay = Replay { gateway, shard, key, info, epoch: &accept.epoch, heads: &heads };
    let recovered = match &query.since {
        Some(since) => replay.recover(since).await?,
        None => false,
    };
    if !recovered {
        replay.catch_up(&accept.channels).await?;
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
        Some(Outcome::Reject(close)) => {
            Err(CloseReason::new(u16::try_from(close.code).unwrap_or(1011), close.reason))
        }
        None => Err(CloseReason::fixed(1011, "the service gave no answer")),
    }
}

/// Says what goes before any event. The first frame names the place from which to resume.
fn greet(shard: &Shard, key: Key, info: &SessionInfo, accept: &Accept) {
    for channel in &info.channels {
        if let Some(head) = accept.channels.iter().find(|head| head.channel == channel.as_str()) {
            shard.covered(key, channel, head.offset);
        }
    }
    let heads: Vec<(&str, u64)> =
        accept.channels.iter().map(|head| (head.channel.as_str(), head.offset)).collect();
    for (index, json) in accept.greeting.iter().enumerate() {
        let frame = match index {
            0 => websocket::greeting(json, &accept.epoch, &heads),
            _ => websocket::text(json),
        };
        shard.send(key, frame);
    }
    if accept.greeting.is_empty() {
        shard.send(key, websocket::greeting(&frames::place(), &accept.epoch, &heads));
    }
}
