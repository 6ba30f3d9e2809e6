//! A span as it arrived.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};

/// A span and the process that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectedSpan {
    /// The process's `service.name`.
    pub process: String,
    /// Its `service.instance.id`.
    pub instance: String,
    /// Its name.
    pub name: String,
    /// `server`, `client`, `producer`, `consumer` or `internal`.
    pub kind: String,
    /// Its trace's id, in hexadecimal digits.
    pub trace: String,
    /// Its own.
    pub id: String,
    /// Its parent's; empty if it has none.
    pub parent: String,
    /// What it tells, as text.
    pub attributes: BTreeMap<String, String>,
    /// The ids of the spans that it is linked to.
    pub links: Vec<String>,
    /// Whether it failed.
    pub failed: bool,
}

impl CollectedSpan {
    /// One of its attributes; empty if it has none of that name.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// The spans of a request.
    pub(super) fn all_of(request: ExportTraceServiceRequest) -> Vec<Self> {
        let mut spans = Vec::new();
        for of_resource in request.resource_spans {
            let resource = texts(&of_resource.resource.unwrap_or_default().attributes);
            let of = |name: &str| resource.get(name).cloned().unwrap_or_default();
            let (process, instance) = (of("service.name"), of("service.instance.id"));
            let all = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(all.map(|span| Self::of(&process, &instance, &span)));
        }
        spans
    }

    fn of(process: &str, instance: &str, span: &Span) -> Self {
        Self {
            process: process.to_owned(),
            instance: instance.to_owned(),
            name: span.name.clone(),
            kind: kind(span.kind()).to_owned(),
            trace: hexadecimal(&span.trace_id),
            id: hexadecimal(&span.span_id),
            parent: hexadecimal(&span.parent_span_id),
            attributes: texts(&span.attributes),
            links: span.links.iter().map(|link| hexadecimal(&link.span_id)).collect(),
            failed: span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error),
        }
    }
}

fn kind(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "",
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &AnyValue| match &value.value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        other => format!("{other:?}"),
    };
    let pair = |attribute: &KeyValue| {
        (attribute.key.clone(), attribute.value.as_ref().map(text).unwrap_or_default())
    };
    attributes.iter().map(pair).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
