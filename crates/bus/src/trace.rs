//! W3C trace context: which trace a message belongs to.

use std::{fmt::Write, future::Future, num::NonZero, sync::Arc};

/// The longest `tracestate` that is passed on, in bytes; a longer one is left out.
const MAX_STATE: usize = 512;

/// The length of a `traceparent` of version 00.
const LENGTH: usize = 55;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// A place in a distributed trace (W3C Trace Context, version 00).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace: NonZero<u128>,
    span: NonZero<u64>,
    flags: u8,
    state: Option<Arc<str>>,
}

impl TraceContext {
    /// A new trace, sampled.
    pub fn new_root() -> Self {
        Self { trace: random(NonZero::new), span: random(NonZero::new), flags: 1, state: None }
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span: random(NonZero::new), ..self.clone() }
    }

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

    /// The context in which the current task runs.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Runs `future` with this as its current context.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }
}

/// A random number other than zero.
fn random<T, N>(not_zero: fn(T) -> Option<N>) -> N
where
    rand::distr::StandardUniform: rand::distr::Distribution<T>,
{
    loop {
        if let Some(number) = not_zero(rand::random()) {
            return number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn what_is_written_is_read_back() {
        let context = TraceContext::parse(EXAMPLE).expect("a context");
        assert_eq!(context.traceparent(), EXAMPLE);
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let child = context.child();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child, context);
        let root = TraceContext::new_root();
        assert_eq!(TraceContext::parse(&root.traceparent()), Some(root));
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
        let root = TraceContext::new_root();
        assert_eq!(root.clone().with_state("vendor=1").tracestate(), Some("vendor=1"));
        for state in ["", "a\r\nb: c", &"x".repeat(MAX_STATE + 1)] {
            assert_eq!(root.clone().with_state(state).tracestate(), None);
        }
    }

    #[tokio::test]
    async fn a_scope_has_its_context() {
        assert_eq!(TraceContext::current(), None);
        let root = TraceContext::new_root();
        let seen = root.clone().scope(async { TraceContext::current() }).await;
        assert_eq!(seen, Some(root));
    }
}
