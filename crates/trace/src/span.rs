//! One span.

use std::{borrow::Cow, future::Future, time::Instant};

use opentelemetry::{
    KeyValue, Value,
    trace::{Span as _, SpanKind, Status},
};

use crate::{TraceContext, tracer};

/// The attribute that tells which part of a process it was, where one has several (`carillon up`).
const SERVICE: &str = "carillon.service";

/// Something that is being done, from here until it is dropped. Where nobody wants to know, it is a null
/// pointer, and all that is done with it nothing.
#[derive(Debug, Default)]
#[must_use = "a span ends when it is dropped"]
pub struct Span(Option<Box<Inner>>);

#[derive(Debug)]
struct Inner {
    context: TraceContext,
    recorded: Option<Recorded>,
}

#[derive(Debug)]
struct Recorded {
    span: opentelemetry_sdk::trace::Span,
    began: Instant,
}

impl Span {
    /// The beginning of what a client asked for, in its own trace where it told one; else a new trace begins, if
    /// there is a collector.
    pub fn root(
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
        caller: Option<TraceContext>,
        service: &'static str,
    ) -> Self {
        let Some(tracer) = tracer::current() else { return Self::at(caller) };
        let mut span = match tracer.start(kind, name, caller.as_ref()) {
            Some((context, span)) => Self::new(context, span),
            None => Self::at(caller),
        };
        span.set_service(service);
        span
    }

    /// A part of what the current task is about. Nothing, unless that is recorded.
    pub fn child(kind: SpanKind, name: impl FnOnce() -> Cow<'static, str>) -> Self {
        let Some(tracer) = tracer::current() else { return Self(None) };
        let Some(parent) = TraceContext::current() else { return Self(None) };
        Self::started(tracer.start(kind, name, Some(&parent)))
    }

    /// A part of what `parent` is about. Where that is not recorded, it carries the parent's context on.
    pub fn child_of(
        parent: Option<&TraceContext>,
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
    ) -> Self {
        let Some(parent) = parent else { return Self(None) };
        match tracer::current().and_then(|tracer| tracer.start(kind, name, Some(parent))) {
            Some((context, span)) => Self::new(context, span),
            None => Self::at(Some(parent.clone())),
        }
    }

    /// Whether anybody will see what is told of it. What costs something to find out is asked only then.
    pub fn is_recording(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.recorded.is_some())
    }

    /// Its place, for what is done elsewhere on its behalf.
    pub fn context(&self) -> Option<&TraceContext> {
        self.0.as_ref().map(|inner| &inner.context)
    }

    /// Runs `future` as a part of it.
    pub fn scope<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        TraceContext::scope_in(self.context().cloned(), future)
    }

    /// Tells something of it.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        if let Some(recorded) = self.recorded() {
            recorded.span.set_attribute(KeyValue::new(key, value));
        }
    }

    /// Tells a number of it.
    pub fn set_count(&mut self, key: &'static str, count: impl TryInto<i64>) {
        self.set(key, count.try_into().unwrap_or(i64::MAX));
    }

    /// Tells how many seconds ago it began.
    pub fn set_elapsed(&mut self, key: &'static str) {
        if let Some(recorded) = self.recorded() {
            let elapsed = recorded.began.elapsed().as_secs_f64();
            recorded.span.set_attribute(KeyValue::new(key, elapsed));
        }
    }

    /// Tells which part of this process it and what is done on its behalf are of.
    pub fn set_service(&mut self, service: &'static str) {
        if let Some(inner) = &mut self.0 {
            inner.context.set_service(service);
        }
    }

    /// It has failed, for this reason, which holds nothing that a user wrote.
    pub fn fail(&mut self, reason: impl Into<Cow<'static, str>>) {
        if let Some(recorded) = self.recorded() {
            recorded.span.set_status(Status::error(reason));
        }
    }

    /// It has to do with another one.
    pub fn link(&mut self, other: &TraceContext) {
        if let Some(recorded) = self.recorded() {
            recorded.span.add_link(other.span_context(), Vec::new());
        }
    }

    fn at(context: Option<TraceContext>) -> Self {
        Self(context.map(|context| Box::new(Inner { context, recorded: None })))
    }

    fn started(started: Option<(TraceContext, opentelemetry_sdk::trace::Span)>) -> Self {
        started.map(|(context, span)| Self::new(context, span)).unwrap_or_default()
    }

    fn new(context: TraceContext, span: opentelemetry_sdk::trace::Span) -> Self {
        let recorded = span.is_recording().then(|| Recorded { span, began: Instant::now() });
        Self(Some(Box::new(Inner { context, recorded })))
    }

    fn recorded(&mut self) -> Option<&mut Recorded> {
        self.0.as_mut()?.recorded.as_mut()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let (Some(recorded), Some(service)) = (&mut self.recorded, self.context.service()) {
            recorded.span.set_attribute(KeyValue::new(SERVICE, service));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{RecordedSpan, record, recorded};

    const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn caller(sampled: bool) -> TraceContext {
        let text = if sampled { CALLER.to_owned() } else { CALLER.replace("-01", "-00") };
        TraceContext::parse(&text).expect("a context")
    }

    fn find<'a>(spans: &'a [RecordedSpan], name: &str) -> &'a RecordedSpan {
        spans.iter().find(|span| span.name == name).expect("a span")
    }

    #[tokio::test]
    async fn a_child_is_below_what_its_task_is_about() {
        record();
        let root = Span::root(SpanKind::Server, || "root".into(), Some(caller(true)), "gateway");
        root.scope(async {
            let mut child = Span::child(SpanKind::Internal, || "child".into());
            child.set("answer", 42);
            child.fail("timed out");
        })
        .await;
        drop(root);
        let spans = recorded(&caller(true));
        let (child, root) = (find(&spans, "child"), find(&spans, "root"));
        assert_eq!(root.parent, "00f067aa0ba902b7", "the caller's trace goes on");
        assert_eq!((&child.parent, child.failure.as_deref()), (&root.id, Some("timed out")));
        assert_eq!((&*child.attributes["answer"], &*child.attributes[SERVICE]), ("42", "gateway"));
    }

    #[tokio::test]
    async fn a_trace_that_is_not_sampled_is_carried_on_and_makes_no_spans() {
        record();
        let span =
            Span::child_of(Some(&caller(false)), SpanKind::Server, || unreachable!("nobody wants a name"));
        assert!(!span.is_recording());
        let seen = span.scope(async {
            assert!(Span::child(SpanKind::Internal, || unreachable!()).context().is_none());
            TraceContext::current()
        });
        assert_eq!(seen.await, Some(caller(false)));
        let root = Span::root(SpanKind::Server, || unreachable!(), Some(caller(false)), "gateway");
        assert_eq!(root.context(), Some(&caller(false)));
    }

    #[tokio::test]
    async fn without_a_trace_there_is_no_child() {
        record();
        assert!(Span::child(SpanKind::Internal, || unreachable!()).0.is_none());
        assert!(Span::child_of(None, SpanKind::Internal, || unreachable!()).0.is_none());
    }

    #[test]
    fn a_new_trace_begins_where_no_caller_has_one() {
        record();
        let mut root = Span::root(SpanKind::Server, || "new".into(), None, "gateway");
        root.link(&caller(true));
        let context = root.context().cloned().expect("a context");
        assert!(context.is_sampled());
        drop(root);
        let spans = recorded(&context);
        assert_eq!((&*spans[0].parent, &*spans[0].links[0]), ("0000000000000000", "00f067aa0ba902b7"));
    }

    #[test]
    fn a_span_that_is_none_takes_no_room() {
        assert_eq!(size_of::<Span>(), size_of::<usize>());
    }
}
