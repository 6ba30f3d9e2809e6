//! Opening sessions: who may listen, and how they are greeted.

use carillon_bus::Bus;
use carillon_contract::{
    Channel, Dialect, Endpoint, Id, endpoint,
    messages::{Accept, Close, Identity, OpenReply, OpenRequest, Session, open_reply::Outcome},
};
use carillon_service::{Failure, time};
use carillon_store::{Log, now};
use serde_json::{Value, json};

use crate::organisation::Organisation;

/// The endpoint of organisation events (S1-02).
pub(crate) const EVENTS: &str = "events";

/// Opens a session, or says with which code to close it.
pub(crate) async fn open(bus: &Bus, log: &Log, request: OpenRequest) -> Result<OpenReply, Failure> {
    let session = request.session.ok_or_else(|| Failure::Malformed("no session".to_owned()))?;
    let endpoint = endpoint_of(&session)?;
    let outcome = match refusal(bus, endpoint, &session).await? {
        Some(close) => Outcome::Reject(close),
        None => Outcome::Accept(accept(log, endpoint, &session).await?),
    };
    Ok(OpenReply { outcome: Some(outcome) })
}

/// The row of a session's endpoint.
pub(crate) fn endpoint_of(session: &Session) -> Result<&'static Endpoint, Failure> {
    endpoint(&session.endpoint).ok_or_else(|| Failure::Malformed("no such endpoint".to_owned()))
}

async fn refusal(bus: &Bus, endpoint: &Endpoint, session: &Session) -> Result<Option<Close>, Failure> {
    let codes = &endpoint.close_codes;
    let Some(identity) = &session.identity else {
        return Ok((!endpoint.anonymous).then(|| close(codes.missing, "a token is needed")));
    };
    if let Some(own) = endpoint.own
        && session.parameters.get(own) != Some(&identity.user)
    {
        return Ok(Some(close(codes.mismatch, "these are another user's notifications")));
    }
    if endpoint.name == EVENTS && !may_listen(bus, session, identity).await? {
        return Ok(Some(close(codes.denied, "not a member of the organization")));
    }
    Ok(None)
}

/// Members of the organisation and admins.
async fn may_listen(bus: &Bus, session: &Session, identity: &Identity) -> Result<bool, Failure> {
    let Some(organisation) = Organisation::new(bus, org_id(session)) else { return Ok(false) };
    let membership = organisation.membership(&identity.user).await?;
    Ok(membership.exists && (membership.member || identity.is_admin()))
}

async fn accept(log: &Log, endpoint: &Endpoint, session: &Session) -> Result<Accept, Failure> {
    let user = session.identity.as_ref().map(|identity| identity.user.as_str());
    let channels: Vec<Channel> = endpoint
        .channels
        .iter()
        .filter_map(|template| template.resolve(&session.parameters, user).transpose())
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::Malformed(error.to_string()))?;
    let names: Vec<String> = channels.iter().map(|channel| channel.as_str().to_owned()).collect();
    Ok(Accept {
        greeting: vec![greeting(endpoint, session).to_string().into()],
        epoch: log.epoch().to_owned(),
        channels: log.heads(&names).await?,
        ..Accept::default()
    })
}

/// As the document greets whose dialect it is (S1-01, S2-04, S3-01).
fn greeting(endpoint: &Endpoint, session: &Session) -> Value {
    let user = session.identity.as_ref().map(|identity| rendered(&identity.user));
    if endpoint.name == EVENTS {
        return json!({
            "type": "connection.established", "message": "Connected to organization events",
            "org_id": rendered(org_id(session)), "user_id": user,
        });
    }
    match Dialect::named(&session.dialect).unwrap_or(Dialect::Events) {
        Dialect::Events => json!({
            "type": "connection.established", "message": "Connected to notifications", "user_id": user,
        }),
        Dialect::Rooms => json!({
            "type": "connection_status", "status": "connected",
            "message": "Successfully connected to notifications", "timestamp": time::timestamp(now()),
        }),
        Dialect::Ticketing => json!({
            "type": "connection_established", "message": "Connected to notifications", "user_id": user,
        }),
    }
}

/// An id as clients read it.
fn rendered(id: &str) -> Value {
    let number = Id::new(id).ok().and_then(|id| serde_json::to_value(id).ok());
    number.unwrap_or_else(|| Value::from(id))
}

fn org_id(session: &Session) -> &str {
    session.parameters.get("org_id").map_or("", String::as_str)
}

fn close(code: u16, reason: &str) -> Close {
    Close { code: code.into(), reason: reason.to_owned() }
}
