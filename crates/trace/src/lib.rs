//! Traces: which one a message belongs to, the spans of this process, and their way to a collector.
//!
//! A [`TraceContext`] is a place in a trace. It is current in a task, and travels in the headers of the bus. A
//! [`Span`] is what this process did there, how long it took, and what of. Spans are recorded only where
//! [`start`] found a collector in the environment, and only in traces that are sampled: everywhere else a span
//! is a null pointer, and making one a look at a static. No other crate names the OpenTelemetry libraries.
//!
//! What is in a span, and what never is (tokens, what users wrote, who they are), is told in `docs/tracing.md`.

mod context;
mod export;
mod export_metrics;
mod resource;
mod sampling;
mod settings;
mod span;
mod start;
pub mod testing;
mod tracer;

pub use context::TraceContext;
pub use opentelemetry::{Value, trace::SpanKind as Kind};
pub use span::Span;
pub use start::{Tracing, start};
