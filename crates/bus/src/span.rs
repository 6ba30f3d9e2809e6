//! The spans of a request: one where it is asked, and one where it is served.

use std::borrow::Cow;

use bytes::Bytes;
use carillon_contract::Subject;
use carillon_trace::{Kind, Span};

use crate::{Message, RequestError, message::Reply};

/// Asking a service. Both attempts are of the same span.
pub(crate) fn asking(subject: &Subject) -> Span {
    let mut span = Span::child(Kind::Client, || name(subject.as_str()));
    describe(&mut span, subject.as_str());
    span
}

/// What became of it.
pub(crate) fn answered(span: &mut Span, outcome: &Result<Bytes, RequestError>) {
    if let Err(error) = outcome {
        span.fail(reason(error));
    }
}

/// Serving a request, in the trace that it came with.
pub(crate) fn serving(message: &Message, service: &'static str) -> Span {
    let mut span = Span::child_of(message.trace.as_ref(), Kind::Server, || name(&message.subject));
    span.set_service(service);
    describe(&mut span, &message.subject);
    span
}

/// What became of it.
pub(crate) fn served(mut span: Span, reply: &Reply) {
    if let Err(refusal) = reply {
        span.fail(refusal.kind.as_str());
    }
}

fn name(subject: &str) -> Cow<'static, str> {
    match Subject::request(subject) {
        Some((owner, method)) => format!("{owner}/{method}").into(),
        None => "request".into(),
    }
}

fn describe(span: &mut Span, subject: &str) {
    if !span.is_recording() {
        return;
    }
    if let Some((owner, method)) = Subject::request(subject) {
        span.set("carillon.owner", owner.to_owned());
        span.set("carillon.method", method.to_owned());
    }
}

/// In a word: what a service says with its refusal may repeat what a user wrote.
fn reason(error: &RequestError) -> &'static str {
    match error {
        RequestError::TimedOut => "timed out",
        RequestError::NoResponders => "no responders",
        RequestError::Disconnected => "disconnected",
        RequestError::TooLarge => "too large",
        RequestError::Refused(refusal) => refusal.kind.as_str(),
        RequestError::Malformed => "malformed",
    }
}
