//! One channel of a connection: a session of its own at the endpoint that speaks for it.

use std::{rc::Rc, sync::Arc};

use carillon_contract::{
    BACK_END, Channel, Dialect, Parameters, Payload, endpoint_of, messages::FrameRequest,
};

use super::reply::Problem;
use crate::{
    gateway::Gateway,
    session::{Framing, KeptIdentity, SessionInfo, farewell},
    shard::{Key, Shard},
    websocket::CloseReason,
};

/// A subscription. Its session ends when it is dropped.
pub(super) struct Subscription {
    gateway: Arc<Gateway>,
    shard: Rc<Shard>,
    pub(super) key: Key,
    pub(super) info: Rc<SessionInfo>,
    /// The number of the last frame that went to the owner.
    frames: u64,
    /// A request about it is being answered: the next one waits.
    pub(super) is_busy: bool,
}

impl Subscription {
    /// Takes a session in: whatever arrives from now on is held for it until it is open.
    pub(super) fn new(gateway: &Arc<Gateway>, shard: &Rc<Shard>, carrier: Key, info: SessionInfo) -> Self {
        let info = Rc::new(info);
        let key = shard.subscribe(carrier, info.clone());
        gateway.leases.came(info.endpoint);
        Self { gateway: gateway.clone(), shard: shard.clone(), key, info, frames: 0, is_busy: true }
    }

    /// A frame of its client, for the owner.
    pub(super) fn request(&mut self, payload: bytes::Bytes) -> FrameRequest {
        self.frames += 1;
        let session = Some(self.info.session());
        FrameRequest { session, number: self.frames, payload, ..FrameRequest::default() }
    }

    /// Its session is open: its owner may have required something of it.
    pub(super) fn opened(&mut self) {
        if let Some(info) = self.shard.info(self.key) {
            self.info = info;
        }
    }

    /// The connection lives on with another token.
    pub(super) fn refresh(&mut self, identity: &KeptIdentity) {
        let info = self.shard.info(self.key).unwrap_or_else(|| self.info.clone());
        self.info = Rc::new(SessionInfo { identity: Some(identity.clone()), ..(*info).clone() });
        self.shard.set_info(self.key, self.info.clone());
    }

    /// Its client wants no more of it, and will not be back in a moment.
    pub(super) fn leave(self) {
        self.shard.close(self.key, CloseReason::NORMAL);
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let farewell = self.shard.farewell();
        let departure = self.shard.remove(self.key);
        let (gateway, shard, info) = (self.gateway.clone(), self.shard.clone(), self.info.clone());
        tokio::task::spawn_local(async move {
            farewell::say(&gateway, &shard, &info, departure).await;
            drop(farewell);
        });
    }
}

/// The session for a channel, as that of a connection with this token, if there can be one: whether the
/// client may have it is for its owner to say.
pub(super) fn session(
    gateway: &Gateway,
    carrier: &SessionInfo,
    number: u64,
    channel: &Channel,
) -> Result<SessionInfo, Problem> {
    let is_back_end = carrier.is_back_end();
    let (endpoint, parameters) = if is_back_end {
        (&BACK_END, Parameters::new())
    } else {
        let located = endpoint_of(channel).ok_or(Problem::NO_SUCH_CHANNEL)?;
        (located.row, located.parameters)
    };
    if endpoint.payload != Payload::Json || channel.kind() == "document" {
        return Err(Problem::BINARY_CHANNEL);
    }
    let is_anonymous = carrier.identity.is_none();
    if is_anonymous && !gateway.lets_anyone_in(endpoint) {
        return Err(Problem::NO_TOKEN);
    }
    let mut info = SessionInfo {
        connection: format!("{}.{number}", carrier.connection).into(),
        address: carrier.address,
        endpoint,
        parameters: (&parameters).into(),
        dialect: endpoint.dialects.then_some(Dialect::Events),
        framing: Framing::Channels,
        compression: carrier.compression,
        identity: carrier.identity.clone(),
        channels: Box::default(),
        requires: Box::default(),
    };
    if is_back_end {
        info.channels = Box::new([channel.clone()]);
        return if channel.is_told_to_back_ends() { Ok(info) } else { Err(Problem::NO_SUCH_CHANNEL) };
    }
    info.resolve(&parameters).map_err(Problem::unknown_channel)?;
    if info.keep_only(channel) {
        return Ok(info);
    }
    Err(if is_anonymous { Problem::NO_TOKEN } else { Problem::DENIED })
}
