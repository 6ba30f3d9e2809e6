//! The spans with which a trace begins here. What they hold is bounded and says nothing of whoever sent it.

use actix_http::RequestHead;
use carillon_contract::{Endpoint, Route, messages::HttpReply};
use carillon_service::http::Problem;
use carillon_trace::{Kind, Span, TraceContext};

use crate::{gateway::Gateway, websocket::CloseReason};

/// Which part of a process this is.
const SERVICE: &str = "gateway";

/// The trace that a request's caller has begun, unless this gateway is not to go on with it.
pub(crate) fn caller(gateway: &Gateway, head: &RequestHead) -> Option<TraceContext> {
    let text = |name: &str| head.headers().get(name).and_then(|value| value.to_str().ok());
    let trace = text("traceparent").filter(|_| !gateway.settings.ignore_traceparent)?;
    Some(TraceContext::parse(trace)?.with_state(text("tracestate").unwrap_or_default()))
}

/// An HTTP request.
pub(crate) fn request(route: &Route, caller: Option<TraceContext>) -> Span {
    let name = || format!("{} {}", route.method.as_str(), route.pattern).into();
    let mut span = Span::root(Kind::Server, name, caller, SERVICE);
    span.set("http.request.method", route.method.as_str());
    span.set("http.route", route.pattern);
    span
}

/// How it was answered.
pub(crate) fn answered(span: &mut Span, outcome: &Result<HttpReply, Problem>) {
    let status = match outcome {
        Ok(reply) => reply.status,
        Err(problem) => problem.status().into(),
    };
    span.set_count("http.response.status_code", status);
    if status >= 500 {
        span.fail("server error");
    }
}

/// The opening of a session, up to its first live event.
pub(crate) fn opening(endpoint: &Endpoint, caller: Option<TraceContext>) -> Span {
    let mut span = Span::root(Kind::Server, || "session.open".into(), caller, SERVICE);
    span.set("carillon.endpoint", endpoint.name);
    span
}

/// How it was refused.
pub(crate) fn refused(span: &mut Span, reason: &CloseReason) {
    span.set("carillon.close_code", i64::from(reason.code));
    span.fail("refused");
}

/// A client's frame, from its turn until its owner has answered it. Each begins a trace of its own: a connection
/// would make one without an end.
pub(crate) fn frame(endpoint: &Endpoint) -> Span {
    let mut span = Span::root(Kind::Server, || "session.frame".into(), None, SERVICE);
    span.set("carillon.endpoint", endpoint.name);
    span
}
