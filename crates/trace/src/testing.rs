//! Spans that are kept in memory: for tests of whatever makes them.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use opentelemetry::trace::{Status, TracerProvider as _};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter},
};

use crate::{
    TraceContext,
    tracer::{self, Tracer},
};

/// What has ended in this process.
static ENDED: Mutex<Vec<SpanData>> = Mutex::new(Vec::new());

static ON: LazyLock<()> = LazyLock::new(|| {
    let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
    let provider = SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(Keeper).build();
    tracer::set(Tracer { sdk: provider.tracer("test"), by_parent: true });
});

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSpan {
    /// Its name.
    pub name: String,
    /// Its id, in hexadecimal digits.
    pub id: String,
    /// Its parent's; zeros if it has none.
    pub parent: String,
    /// The ids of those that it is linked to.
    pub links: Vec<String>,
    /// What it tells, as text.
    pub attributes: BTreeMap<String, String>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

/// Has the spans of this process recorded from now on, as often as this is called.
pub fn record() {
    LazyLock::force(&ON);
}

/// The spans of a trace that have ended.
pub fn recorded(trace: &TraceContext) -> Vec<RecordedSpan> {
    let id = trace.span_context().trace_id();
    ended().iter().filter(|span| span.span_context.trace_id() == id).map(RecordedSpan::from).collect()
}

#[derive(Debug)]
struct Keeper;

impl SpanExporter for Keeper {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        ended().extend(batch);
        Ok(())
    }
}

impl From<&SpanData> for RecordedSpan {
    fn from(span: &SpanData) -> Self {
        let attributes = span.attributes.iter();
        Self {
            name: span.name.to_string(),
            id: span.span_context.span_id().to_string(),
            parent: span.parent_span_id.to_string(),
            links: span.links.links.iter().map(|link| link.span_context.span_id().to_string()).collect(),
            attributes: attributes.map(|one| (one.key.to_string(), one.value.to_string())).collect(),
            failure: match &span.status {
                Status::Error { description } => Some(description.to_string()),
                _ => None,
            },
        }
    }
}

fn ended() -> MutexGuard<'static, Vec<SpanData>> {
    ENDED.lock().unwrap_or_else(PoisonError::into_inner)
}
