//! From a request for a channel's events to its session, or a refusal: as for a WebSocket, but that a refusal
//! is a plain HTTP response.

use std::sync::Arc;

use actix_http::RequestHead;
use actix_web::http::header;
use carillon_contract::{Channel, Dialect, Endpoint, Located, Payload, Since, endpoint_of};
use carillon_service::http::Problem;

use super::{Refusal, accepted, credentials, credentials::Credentials, identify, permit_at, refused};
use crate::{
    authenticator::Denied,
    gateway::Gateway,
    limits::Permit,
    session::{Framing, Place, Query, SessionInfo},
    spans,
};

/// A stream about to be.
pub(crate) struct Streaming {
    pub(crate) info: SessionInfo,
    pub(crate) permit: Permit,
    pub(crate) query: Query,
}

/// Decides about a request for a channel's events, counts it, and logs a refusal with its reason.
///
/// # Errors
/// 401 without a valid token where one is needed, 403 for someone who may not, 404 for what is no channel of
/// clients, 429 over a limit, 503 while nobody can be let in.
pub(crate) async fn admit_stream(
    gateway: &Arc<Gateway>,
    head: &RequestHead,
    channel: &str,
    permit: Permit,
) -> Result<Streaming, Problem> {
    let found = channel.parse::<Channel>().ok().and_then(|channel| Some((endpoint_of(&channel)?, channel)));
    let Some((located, channel)) = found else {
        gateway.metrics.refused("none", "not_found");
        return Err(Problem::not_found("there is no such channel for clients"));
    };
    let endpoint = located.row;
    if endpoint.payload != Payload::Json {
        return Err(Problem::not_found("its frames are binary: connect to its own endpoint"));
    }
    match examine(gateway, head, permit, located, channel).await {
        Ok(streaming) => {
            accepted(gateway, head, &streaming.info);
            Ok(streaming)
        }
        Err(refusal) => {
            refused(gateway, (endpoint, Framing::Events), head, &refusal);
            Err(problem(&refusal))
        }
    }
}

async fn examine(
    gateway: &Arc<Gateway>,
    head: &RequestHead,
    mut permit: Permit,
    Located { row: endpoint, parameters }: Located<Endpoint>,
    channel: Channel,
) -> Result<Streaming, Refusal> {
    if gateway.is_draining() || !gateway.authenticator.is_current() {
        return Err(Refusal::NotReady);
    }
    let Credentials { token, dialect, mut query, .. } = credentials::read(head)?;
    let mut info = SessionInfo {
        connection: gateway.connection_id().into(),
        address: gateway.client(head),
        endpoint,
        parameters: (&parameters).into(),
        dialect: None,
        framing: Framing::Events,
        compression: None,
        identity: None,
        channels: Box::default(),
        requires: Box::default(),
    };
    permit_at(gateway, &mut permit, &info)?;
    // Without a token, where a page comes from is all there is to go by.
    if token.is_none() && is_foreign(gateway, head) {
        return Err(Refusal::Origin);
    }
    info.identity =
        identify::identify(gateway, endpoint, &parameters, token.as_deref()).await?.map(Into::into);
    if let Some(user) = info.user() {
        permit.take_as(user).map_err(Refusal::Over)?;
    }
    let default = if info.identity.is_some() { Dialect::Events } else { Dialect::Rooms };
    info.dialect = endpoint.dialects.then(|| dialect.or(gateway.settings.dialect).unwrap_or(default));
    info.resolve(&parameters).map_err(|_| Refusal::Path)?;
    if !info.keep_only(&channel) {
        let codes = endpoint.close_codes;
        return Err(if info.user().is_some() { Refusal::Mismatch(codes) } else { Refusal::Missing(codes) });
    }
    query.place = Place::Always;
    query.caller = spans::caller(gateway, head);
    if let Some(last) = last_event(head) {
        query.since = Some(last);
    }
    Ok(Streaming { info, permit, query })
}

/// The id of the last event that a client had, which it sends when it comes back by itself: that counts before
/// the `since` with which it once began. One that can't be read is one that can't be recovered.
fn last_event(head: &RequestHead) -> Option<Since> {
    let last = head.headers().get("last-event-id")?.to_str().unwrap_or("?");
    (!last.is_empty()).then(|| last.parse().unwrap_or_else(|_| Since::nowhere()))
}

fn is_foreign(gateway: &Gateway, head: &RequestHead) -> bool {
    let origin = head.headers().get(header::ORIGIN);
    origin.is_some_and(|origin| !gateway.allows_page(origin.to_str().unwrap_or_default()))
}

fn problem(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Missing(_) | Refusal::Denied(_, Denied::Expired | Denied::Invalid(_) | Denied::Revoked) => {
            Problem::unauthorized(&refusal.to_string())
        }
        other => other.problem(),
    }
}
