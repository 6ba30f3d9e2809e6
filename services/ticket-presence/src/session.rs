//! Opening and ending sessions at the projects' endpoints.

use carillon_contract::{
    Endpoint, Id, endpoint,
    messages::{ChannelHead, ClosedNotice, FrameReply, FrameRequest, OpenReply, OpenRequest, Session},
};
use carillon_service::{
    Failure,
    reply::{self, Refusal},
};
use serde_json::{Value, json};

use crate::{
    access::{Asked, Denied, NOT_A_MEMBER, UNKNOWN_PROJECT},
    presence::Visitor,
    service::Projects,
};

/// Said to a back end.
const ONLY_USERS: &str = "only users are in a project";

/// There is no such project.
const UNKNOWN: u16 = 4004;

/// Opens a session, or says with which code to close it.
pub(crate) async fn open(projects: &Projects, request: OpenRequest) -> Result<OpenReply, Failure> {
    let session = request.session.ok_or_else(|| Failure::Malformed("no session".to_owned()))?;
    let endpoint = endpoint_of(&session)?;
    let codes = &endpoint.close_codes;
    let Some(identity) = &session.identity else {
        return Ok(reply::reject(codes.missing, "a token is needed"));
    };
    match projects.access.enter(project_of(&session), identity, Asked::default()).await? {
        Err(Denied::Unknown) => return Ok(reply::reject(UNKNOWN, UNKNOWN_PROJECT)),
        Err(Denied::NotAMember) => return Ok(reply::reject(codes.denied, NOT_A_MEMBER)),
        Ok(_) => {}
    }
    let visitor = Visitor::of(&session)?;
    match &visitor {
        Some(visitor) => projects.attendance.come(visitor).await?,
        None if endpoint.presence => return Ok(reply::reject(codes.denied, ONLY_USERS)),
        None => {}
    }
    let mut snapshot = projects.database.snapshot().await?;
    let heads = projects.log.heads_at(&mut snapshot, &channels(endpoint, &session)?).await?;
    let mut greeting = established(endpoint, &session);
    if let Some(visitor) = &visitor {
        greeting.push(projects.attendance.greet(&mut snapshot, visitor).await?);
    }
    Ok(accept(projects, heads, &greeting))
}

/// Handles a frame.
pub(crate) async fn frame(projects: &Projects, request: FrameRequest) -> Result<FrameReply, Failure> {
    let session = request.session.ok_or_else(|| Failure::Malformed("no session".to_owned()))?;
    match Visitor::of(&session)? {
        Some(visitor) => projects.attendance.frame(&visitor, request.number, &request.payload).await,
        None => Ok(reply::refused(&Refusal::new("read_only", "Nothing is sent to this endpoint"), None)),
    }
}

/// A session has ended.
pub(crate) async fn closed(projects: &Projects, notice: ClosedNotice) -> Result<(), Failure> {
    let session = notice.session.as_ref().ok_or_else(|| Failure::Malformed("no session".to_owned()))?;
    if endpoint_of(session)?.presence { projects.attendance.closed(notice).await } else { Ok(()) }
}

/// The row of a session's endpoint.
fn endpoint_of(session: &Session) -> Result<&'static Endpoint, Failure> {
    endpoint(&session.endpoint).ok_or_else(|| Failure::Malformed("no such endpoint".to_owned()))
}

fn project_of(session: &Session) -> &str {
    session.parameters.get("project_id").map_or("", String::as_str)
}

fn channels(endpoint: &Endpoint, session: &Session) -> Result<Vec<String>, Failure> {
    let malformed = |error: carillon_contract::ChannelError| Failure::Malformed(error.to_string());
    let resolved = endpoint.channels.iter().map(|template| template.resolve(&session.parameters, None));
    let channels = resolved.collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    Ok(channels.into_iter().flatten().map(|channel| channel.to_string()).collect())
}

fn accept(projects: &Projects, heads: Vec<ChannelHead>, greeting: &[Value]) -> OpenReply {
    reply::accept(projects.log.epoch(), heads, greeting, "")
}

/// The first frame, where the document has one.
fn established(endpoint: &Endpoint, session: &Session) -> Vec<Value> {
    let message = match endpoint.name {
        "presence" => return Vec::new(),
        "tickets" => "Connected to project tickets",
        "project-events" => "Connected to project events",
        _ => "Connected to project",
    };
    let id = |text: &str| Id::new(text).map_or_else(|_| json!(text), |id| json!(id));
    let user = session.identity.as_ref().map(|identity| id(&identity.user));
    vec![json!({
        "type": "connection_established",
        "message": message,
        "project_id": id(project_of(session)),
        "user_id": user,
    })]
}
