//! W3C trace context: which trace a message belongs to.

use std::{fmt::Write, future::Future, num::NonZero, sync::Arc};

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The longest `tracestate` that is passed on, in bytes; a longer one is left out.
const MAX_STATE: usize = 512;

/// The length of a `traceparent` of version 00.
const LENGTH: usize = 55;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The flag of a trace that is sampled.
const SAMPLED: u8 = 1;

/// A place in a distributed trace (W3C Trace Context, version 00).
#[derive(Debug, Clone)]
pub struct TraceContext {
    trace: NonZero<u128>,
    span: NonZero<u64>,
    flags: u8,
    state: Option<Arc<str>>,
    /// Which part of this process works there. It doesn't leave the process.
    service: Option<&'static str>,
}

impl PartialEq for TraceContext {
    /// The same place, whoever works there.
    fn eq(&self, other: &Self) -> bool {
        let place = |context: &Self| (context.trace, context.span, context.flags);
        place(self) == place(other) && self.state == other.state
    }
}

impl Eq for TraceContext {}

impl TraceContext {
    /// Reads a `traceparent`: version 00, lower-case hexadecimal, no id of zeros only.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let bytes = traceparent.as_bytes();
        let separators = [2, 35, 52];
        if bytes.len() != LENGTH || separators.iter().any(|place| bytes[*place] != b'-') {
            return None;
        }
        let digits = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
        if !bytes.iter().all(digits) || !traceparent.starts_with("00-") {
            return None;
        }
        Some(Self {
            trace: NonZero::new(u128::from_str_radix(&traceparent[3..35], 16).ok()?)?,
            span: NonZero::new(u64::from_str_radix(&traceparent[36..52], 16).ok()?)?,
            flags: u8::from_str_radix(&traceparent[53..], 16).ok()?,
            state: None,
            service: None,
        })
    }

    /// The same place with a `tracestate`; one that is too long or not printable is left out.
    #[must_use]
    pub fn with_state(mut self, state: &str) -> Self {
        let fits = !state.is_empty() && state.len() <= MAX_STATE;
        let printable = state.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        self.state = (fits && printable).then(|| state.into());
        self
    }

    /// The `traceparent` header.
    pub fn traceparent(&self) -> String {
        let mut text = String::with_capacity(LENGTH);
        // Writing to a string cannot fail.
        let _ = write!(text, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags);
        text
    }

    /// The `tracestate` header, if there is one.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The trace's id as 32 hexadecimal digits, for logs.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// Whether the spans of this trace are recorded.
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The context in which the current task runs.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Runs `future` with this as its current context.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// [`scope`](Self::scope), where there is a context; else `future` runs in the current one.
    pub async fn scope_in<F: Future>(context: Option<Self>, future: F) -> F::Output {
        match context {
            Some(context) => context.scope(future).await,
            None => future.await,
        }
    }

    /// Where a span is. It has the state of its parent, and is of the same part of this process.
    pub(crate) fn of_span(span: &SpanContext, parent: Option<&Self>) -> Option<Self> {
        Some(Self {
            trace: NonZero::new(u128::from_be_bytes(span.trace_id().to_bytes()))?,
            span: NonZero::new(u64::from_be_bytes(span.span_id().to_bytes()))?,
            flags: span.trace_flags().to_u8(),
            state: parent.and_then(|parent| parent.state.clone()),
            service: parent.and_then(|parent| parent.service),
        })
    }

    /// The same place, as the libraries have it.
    pub(crate) fn span_context(&self) -> SpanContext {
        let state = self.state.as_deref().and_then(|state| state.parse::<TraceState>().ok());
        SpanContext::new(
            TraceId::from_bytes(self.trace.get().to_be_bytes()),
            SpanId::from_bytes(self.span.get().to_be_bytes()),
            TraceFlags::new(self.flags),
            true,
            state.unwrap_or_default(),
        )
    }

    pub(crate) fn service(&self) -> Option<&'static str> {
        self.service
    }

    pub(crate) fn set_service(&mut self, service: &'static str) {
        self.service = Some(service);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn example() -> TraceContext {
        TraceContext::parse(EXAMPLE).expect("a context")
    }

    #[test]
    fn what_is_written_is_read_back() {
        let context = example();
        assert_eq!(context.traceparent(), EXAMPLE);
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.is_sampled());
        let unsampled = EXAMPLE.replace("-01", "-00");
        let context = TraceContext::parse(&unsampled).expect("a context");
        assert_eq!((context.traceparent(), context.is_sampled()), (unsampled, false));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6-3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-1",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }

    #[test]
    fn state_never_breaks_a_header() {
        assert_eq!(example().with_state("vendor=1").tracestate(), Some("vendor=1"));
        for state in ["", "a\r\nb: c", &"x".repeat(MAX_STATE + 1)] {
            assert_eq!(example().with_state(state).tracestate(), None);
        }
    }

    #[test]
    fn the_libraries_mean_the_same_place() {
        let context = example().with_state("vendor=1");
        let theirs = context.span_context();
        assert_eq!(theirs.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((theirs.span_id().to_string(), theirs.is_remote()), ("00f067aa0ba902b7".to_owned(), true));
        assert_eq!(theirs.trace_state().header(), "vendor=1");
        assert_eq!(TraceContext::of_span(&theirs, Some(&context)), Some(context));
    }

    #[tokio::test]
    async fn a_scope_has_its_context() {
        assert_eq!(TraceContext::current(), None);
        let seen = example().scope(async { TraceContext::current() }).await;
        assert_eq!(seen, Some(example()));
        let inner = example().scope(TraceContext::scope_in(None, async { TraceContext::current() })).await;
        assert_eq!(inner, Some(example()), "nothing in particular leaves what there is");
    }
}
