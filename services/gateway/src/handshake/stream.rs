//! From a request for a channel's events to its session, or a refusal: as for a WebSocket, but that a refusal
//! is a plain HTTP response.

use std::sync::Arc;

use actix_http::RequestHead;
use actix_web::http::header;
use carillon_contract::{Channel, Dialect, Endpoint, Located, Parameters, Payload, Since, endpoint_of};
use carillon_service::http::Problem;

use super::{Refusal, credentials, credentials::Credentials, identify, log, log_accepted, permit_at};
use crate::{
    authenticator::Denied,
    gateway::Gateway,
    limits::Permit,
    session::{Framing, Place, Query, SessionInfo},
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
        gateway.metrics.handshakes.with_label_values(&["none", "not_found"]).inc();
        return Err(Problem::not_found("there is no such channel for clients"));
    };
    let endpoint = located.row;
    if endpoint.payload != Payload::Json {
        return Err(Problem::not_found("its frames are binary: connect to its own endpoint"));
    }
    match examine(gateway, head, permit, located, channel).await {
        Ok(streaming) => {
            gateway.metrics.handshakes.with_label_values(&[endpoint.name, "accepted"]).inc();
            log_accepted(gateway, head, &streaming.info);
            Ok(streaming)
        }
        Err(refusal) => {
            gateway.metrics.handshakes.with_label_values(&[endpoint.name, refusal.outcome()]).inc();
            if let Some(limit) = refusal.limit() {
                gateway.metrics.limited.with_label_values(&[limit]).inc();
            }
            log(gateway, endpoint, head, &refusal);
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
    info.identity = identify::identify(gateway, endpoint, &parameters, token.as_deref()).await?;
    if let Some(user) = info.user() {
        permit.take_as(user).map_err(Refusal::Over)?;
    }
    let default = if info.identity.is_some() { Dialect::Events } else { Dialect::Rooms };
    info.dialect = endpoint.dialects.then(|| dialect.or(gateway.settings.dialect).unwrap_or(default));
    listen(&mut info, &parameters, channel)?;
    query.place = Place::Always;
    if let Some(last) = last_event(head) {
        query.since = Some(last);
    }
    Ok(Streaming { info, permit, query })
}

/// Has it listen to this channel alone, if it can be its client's: a user's own is that user's only.
fn listen(info: &mut SessionInfo, parameters: &Parameters, channel: Channel) -> Result<(), Refusal> {
    let user = info.identity.as_ref().map(|identity| identity.user.as_str());
    let codes = info.endpoint.close_codes;
    let resolved = info.endpoint.channels.iter().map(|template| template.resolve(parameters, user));
    if !resolved.flatten().any(|resolved| resolved.as_ref() == Some(&channel)) {
        return Err(if user.is_some() { Refusal::Mismatch(codes) } else { Refusal::Missing(codes) });
    }
    let requires = match &info.endpoint.requires {
        Some(template) => template.resolve(parameters, user).map_err(|_| Refusal::Path)?,
        None => None,
    };
    info.requires = requires.into_iter().map(|resource| resource.as_str().into()).collect();
    info.channels = Box::new([channel]);
    Ok(())
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
