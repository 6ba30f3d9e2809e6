//! What travels in headers: the trace, and refusals.

use async_nats::{HeaderMap, Message, StatusCode};
use bytes::Bytes;

use crate::{Refusal, RefusalKind, RequestError, TraceContext, message::Reply};

const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";
const REFUSAL: &str = "Carillon-Refusal";

/// The headers of a message that is published in the current trace.
pub(super) fn outgoing() -> Option<HeaderMap> {
    let trace = TraceContext::current()?;
    let mut headers = HeaderMap::new();
    headers.insert(TRACEPARENT, trace.traceparent());
    if let Some(state) = trace.tracestate() {
        headers.insert(TRACESTATE, state);
    }
    Some(headers)
}

/// The trace in which a message was published.
pub(super) fn trace(headers: Option<&HeaderMap>) -> Option<TraceContext> {
    let headers = headers?;
    let trace = TraceContext::parse(headers.get(TRACEPARENT)?.as_str())?;
    Some(match headers.get(TRACESTATE) {
        Some(state) => trace.with_state(state.as_str()),
        None => trace,
    })
}

/// A reply's headers and payload. A refusal's text is the payload, since a header holds no line break.
pub(super) fn encode(reply: Reply) -> (Option<HeaderMap>, Bytes) {
    match reply {
        Ok(payload) => (None, payload),
        Err(refusal) => {
            let mut headers = HeaderMap::new();
            headers.insert(REFUSAL, refusal.kind.as_str());
            (Some(headers), refusal.message.into())
        }
    }
}

/// What a reply says.
pub(super) fn decode(message: Message) -> Result<Bytes, RequestError> {
    if message.status == Some(StatusCode::NO_RESPONDERS) {
        return Err(RequestError::NoResponders);
    }
    let Some(kind) = message.headers.as_ref().and_then(|headers| headers.get(REFUSAL)) else {
        return Ok(message.payload);
    };
    let text = String::from_utf8_lossy(&message.payload).into_owned();
    Err(Refusal::new(RefusalKind::from_name(kind.as_str()), text).into())
}
