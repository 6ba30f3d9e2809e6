//! What starts spans, once for the process.

use std::{borrow::Cow, sync::OnceLock};

use opentelemetry::{
    Context,
    trace::{Span as _, SpanBuilder, SpanKind, TraceContextExt, Tracer as _},
};
use opentelemetry_sdk::trace::{SdkTracer, Span};

use crate::TraceContext;

/// One for the process, like the subscriber of its logs: spans are made wherever something is done.
static CURRENT: OnceLock<Tracer> = OnceLock::new();

/// Starts spans.
#[derive(Debug)]
pub(crate) struct Tracer {
    pub(crate) sdk: SdkTracer,
    /// What a caller has decided about its trace counts.
    pub(crate) by_parent: bool,
}

pub(crate) fn current() -> Option<&'static Tracer> {
    CURRENT.get()
}

/// Has spans recorded from now on. False if they are already.
pub(crate) fn set(tracer: Tracer) -> bool {
    CURRENT.set(tracer).is_ok()
}

impl Tracer {
    /// A span and its place. `None` in a trace that is not sampled: that one's own place is all there is to know.
    pub(crate) fn start(
        &self,
        kind: SpanKind,
        name: impl FnOnce() -> Cow<'static, str>,
        parent: Option<&TraceContext>,
    ) -> Option<(TraceContext, Span)> {
        if self.by_parent && parent.is_some_and(|parent| !parent.is_sampled()) {
            return None;
        }
        let above = match parent {
            Some(parent) => Context::new().with_remote_span_context(parent.span_context()),
            None => Context::new(),
        };
        let span = self.sdk.build_with_context(SpanBuilder::from_name(name()).with_kind(kind), &above);
        Some((TraceContext::of_span(span.span_context(), parent)?, span))
    }
}
