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
    /// The new token was revoked while it was verified, or lacks what the one before had: the connection is being
    /// closed.
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
    let lacks_roles = lacks_roles(info, &identity);
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
    // What its owner let it in for may have been one of them; whoever comes back is asked about anew.
    if lacks_roles {
        tracing::info!(connection = %info.connection, "a refreshed token has fewer roles");
        shard.close(key, CloseReason::FEWER_ROLES);
        return Refreshed::Over;
    }
    Refreshed::Until(info, left)
}

/// Whether the connection has a role that the new identity has not.
fn lacks_roles(info: &SessionInfo, identity: &Identity) -> bool {
    let held = info.identity.as_ref().map(|held| held.unpack().roles).unwrap_or_default();
    held.iter().any(|role| !identity.roles.contains(role))
}
