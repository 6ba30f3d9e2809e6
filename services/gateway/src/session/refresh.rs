//! A new token for a connection that is there (S4-08).

use std::rc::Rc;

use carillon_contract::messages::Identity;

use super::SessionInfo;
use crate::{
    authenticator::Denied,
    clock,
    gateway::Gateway,
    shard::{Key, Shard},
    websocket::{Cause, CloseReason},
};

/// What became of it.
pub(super) enum Refreshed {
    /// The connection lives on with it, for so many seconds.
    Until(Rc<SessionInfo>, i64),
    /// Everything is as it was, and why.
    Refused(String),
    /// The new token was revoked while it was verified: the connection is being closed.
    Over,
}

/// A valid token of the same user keeps the connection; any other leaves it as it was.
pub(super) fn refresh(
    gateway: &Gateway,
    shard: &Shard,
    key: Key,
    info: &SessionInfo,
    outcome: Result<Box<Identity>, Denied>,
) -> Refreshed {
    let identity = match outcome {
        Ok(identity) if !identity.service && Some(identity.user.as_str()) == info.user() => *identity,
        Ok(_) => return Refreshed::Refused("The token is of another user".to_owned()),
        Err(denied) => return Refreshed::Refused(denied.to_string()),
    };
    let left = identity.expires_at.saturating_sub(clock::now()) / 1_000_000;
    let info = Rc::new(SessionInfo { identity: Some(identity.clone().into()), ..info.clone() });
    shard.set_info(key, info.clone());
    shard.watch_token(key);
    // A revocation while the token was being verified did not find it here.
    if gateway.authenticator.check(&identity) == Err(Denied::Revoked) {
        let code = info.endpoint.close_codes.invalid;
        shard.close(key, CloseReason::fixed(Cause::Revoked, code, "token revoked"));
        return Refreshed::Over;
    }
    Refreshed::Until(info, left)
}
