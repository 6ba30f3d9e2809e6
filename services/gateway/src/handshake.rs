//! From an upgrade request to an admission or a refusal: host and origin, endpoint, token,
//! dialect. Upgrade requests bypass the HTTP application, so all of this is decided here.

mod credentials;
mod identify;
mod refusal;
mod request;
mod stream;

use std::sync::Arc;

use actix_http::RequestHead;
use actix_web::http::header;
use carillon_contract::{CHANNELS, Dialect, Endpoint, Located, Parameters, endpoint, endpoint_at};
use carillon_service::http::Problem;
use carillon_token::redact;

use crate::{
    gateway::Gateway,
    limits::{Overload, Permit},
    session::{Framing, Query, SessionInfo},
    spans,
    telemetry::Entrance,
    websocket::{CloseReason, Window},
};
use credentials::Credentials;
pub(crate) use credentials::bearer;
use refusal::Refusal;
pub(crate) use stream::{Streaming, admit_stream};

/// What becomes of an upgrade request.
pub(crate) enum Decision {
    /// 101, then the session is opened.
    Admit(Admission, Query),
    /// 101, then a close frame: all that a browser can see of a refusal. Before that, perhaps, in how many
    /// milliseconds to come back.
    Close(Admission, (CloseReason, Option<u64>)),
    /// An HTTP response instead of an upgrade.
    Http(Problem),
}

/// A connection about to be.
pub(crate) struct Admission {
    pub(crate) info: SessionInfo,
    pub(crate) permit: Permit,
    /// The subprotocol to confirm.
    pub(crate) protocol: Option<String>,
}

/// Decides about an upgrade request, counts it, and logs a refusal with its reason.
pub(crate) async fn decide(gateway: &Arc<Gateway>, head: &RequestHead, permit: Permit) -> Decision {
    let Some(located) = locate(head) else {
        gateway.metrics.refused("none", "not_found");
        return Decision::Http(Problem::not_found("there is no such endpoint"));
    };
    let endpoint = located.row;
    match examine(gateway, head, permit, located).await {
        Ok((admission, query)) => {
            accepted(gateway, head, &admission.info);
            Decision::Admit(admission, query)
        }
        Err((refusal, admission)) => {
            refused(gateway, (endpoint, Framing::of(endpoint)), head, &refusal);
            refuse(gateway, refusal, admission)
        }
    }
}

/// The endpoint of the path; at any of them a client may choose to speak `carillon.v1` instead.
fn locate(head: &RequestHead) -> Option<Located<Endpoint>> {
    let located = endpoint_at(head.uri.path())?;
    if credentials::offers(head, CHANNELS) {
        let row = endpoint(CHANNELS)?;
        return Some(Located { row, parameters: Parameters::new() });
    }
    Some(located)
}

type Refused = (Refusal, Option<Box<Admission>>);

async fn examine(
    gateway: &Arc<Gateway>,
    head: &RequestHead,
    mut permit: Permit,
    located: Located<Endpoint>,
) -> Result<(Admission, Query), Refused> {
    let compression = check_request(gateway, head).map_err(|refusal| (refusal, None))?;
    let Credentials { token, offered, dialect, mut query } =
        credentials::read(head).map_err(|refusal| (refusal, None))?;
    query.caller = spans::caller(gateway, head);
    let Located { row: endpoint, parameters } = located;
    let mut info = SessionInfo {
        connection: gateway.connection_id().into(),
        address: gateway.client(head),
        endpoint,
        parameters: (&parameters).into(),
        dialect: None,
        framing: Framing::of(endpoint),
        compression: compression.filter(|_| gateway.settings.compression),
        identity: None,
        channels: Box::default(),
        requires: Box::default(),
    };
    let protocol = credentials::confirmed(&offered, token.is_some());
    // Before any work is done for an address that has too much already.
    let outcome = match permit_at(gateway, &mut permit, &info) {
        Ok(()) => identify::identify(gateway, endpoint, &parameters, token.as_deref()).await,
        Err(refusal) => Err(refusal),
    };
    info.identity = outcome.as_ref().ok().cloned().flatten().map(Into::into);
    let outcome = match info.user().map(|user| permit.take_as(user)) {
        Some(Err(over)) => Err(Refusal::Over(over)),
        _ => outcome,
    };
    let default = if info.identity.is_some() { Dialect::Events } else { Dialect::Rooms };
    info.dialect = endpoint.dialects.then(|| dialect.or(gateway.settings.dialect).unwrap_or(default));
    let resolved = outcome.and_then(|_| info.resolve(&parameters).map_err(|_| Refusal::Path));
    let admission = Admission { info, permit, protocol };
    match resolved {
        Ok(()) => Ok((admission, query)),
        Err(refusal) => Err((refusal, Some(Box::new(admission)))),
    }
}

/// Whether it is a handshake at an endpoint, as far as its own words go.
pub(crate) fn judge(head: &RequestHead) -> bool {
    let is_one = request::check(head).is_ok() && credentials::read(head).is_ok();
    is_one && endpoint_at(head.uri.path()).is_some()
}

/// Refuses a handshake because the gateway takes no more at present.
pub(crate) fn overloaded(gateway: &Gateway, head: &RequestHead, overload: Overload) -> Problem {
    gateway.metrics.limited.with_label_values(&[overload.as_str()]).inc();
    gateway.metrics.refused("none", overload.as_str());
    // One line for each of a flood would be another one.
    tracing::debug!(
        address = gateway.client(head).to_string(),
        limit = overload.as_str(),
        "a handshake was refused"
    );
    match overload {
        Overload::Handshakes => Problem::too_many_requests(1, "too many handshakes"),
        Overload::Connections => Problem::unavailable("too many connections"),
    }
}

/// A place among those of the client's address, if it may have one.
fn permit_at(gateway: &Gateway, permit: &mut Permit, info: &SessionInfo) -> Result<(), Refusal> {
    if gateway.authenticator.is_blocked_at(info.address) {
        return Err(Refusal::Blocked(info.endpoint.close_codes));
    }
    permit.take_at(info.address).map_err(Refusal::Over)
}

/// What holds for every endpoint. `Some`: how messages would be compressed.
fn check_request(gateway: &Gateway, head: &RequestHead) -> Result<Option<Window>, Refusal> {
    let compression = request::check(head)?;
    let text = |name| head.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).or_else(|| head.uri.host()).unwrap_or_default();
    if !gateway.settings.allowed_hosts.allows_host(host) {
        return Err(Refusal::Host);
    }
    if text(header::ORIGIN).is_some_and(|origin| !gateway.settings.allowed_hosts.allows_origin(origin)) {
        return Err(Refusal::Origin);
    }
    if gateway.is_draining() || !gateway.authenticator.is_current() {
        return Err(Refusal::NotReady);
    }
    Ok(compression)
}

fn refuse(gateway: &Gateway, refusal: Refusal, admission: Option<Box<Admission>>) -> Decision {
    match (refusal.close_reason(), admission) {
        (Some(reason), Some(admission)) if !gateway.settings.refuse_with_http => {
            Decision::Close(*admission, (reason, refusal.come_back()))
        }
        _ => Decision::Http(refusal.problem()),
    }
}

/// Counts an attempt that gets as far as its endpoint's owner, and logs it in one line (S4-11).
fn accepted(gateway: &Gateway, head: &RequestHead, info: &SessionInfo) {
    gateway.metrics.accepted(info.endpoint.name);
    tracing::info!(
        endpoint = info.endpoint.name, address = gateway.client(head).to_string(), connection = %info.connection,
        user = info.user().unwrap_or_default(), "a handshake was accepted"
    );
}

/// Counts a refusal, and logs it in one line, without the token (S1-16, S4-11).
fn refused(
    gateway: &Gateway,
    (endpoint, framing): (&Endpoint, Framing),
    head: &RequestHead,
    refusal: &Refusal,
) {
    gateway.refusals.count(Entrance::new(endpoint, framing));
    gateway.metrics.refused(endpoint.name, refusal.label());
    if let Some(limit) = refusal.limit() {
        gateway.metrics.limited.with_label_values(&[limit]).inc();
    }
    let path = head.uri.path_and_query().map_or("", |path| path.as_str());
    tracing::info!(
        endpoint = endpoint.name, address = gateway.client(head).to_string(), path = %redact(path), reason = %refusal,
        "a handshake was refused"
    );
}
