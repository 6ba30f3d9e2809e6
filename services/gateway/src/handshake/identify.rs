//! Who wants to connect, and whether this endpoint is for them.

use std::sync::Arc;

use carillon_contract::{Endpoint, LISTEN_SCOPE, Parameters, Payload, messages::Identity};

use super::Refusal;
use crate::gateway::Gateway;

/// The identity behind a token, or `None` for an anonymous client where those are allowed.
pub(super) async fn identify(
    gateway: &Arc<Gateway>,
    endpoint: &Endpoint,
    parameters: &Parameters,
    token: Option<&str>,
) -> Result<Option<Identity>, Refusal> {
    let codes = endpoint.close_codes;
    let Some(token) = token else {
        let allowed = gateway.lets_anyone_in(endpoint);
        return if allowed { Ok(None) } else { Err(Refusal::Missing(codes)) };
    };
    let identity =
        gateway.authenticator.identify(token).await.map_err(|denied| Refusal::Denied(codes, denied))?;
    if identity.service {
        // A back end listens in the protocol for that, where it is told from the users.
        let may_listen = endpoint.payload == Payload::Channels && identity.has_scope(LISTEN_SCOPE);
        return if may_listen { Ok(Some(identity)) } else { Err(Refusal::NotAUser(codes)) };
    }
    let own = endpoint.own.and_then(|name| parameters.get(name));
    if own.is_some_and(|user| *user != identity.user) {
        return Err(Refusal::Mismatch(codes));
    }
    Ok(Some(identity))
}
