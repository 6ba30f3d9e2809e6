//! Drawing a trace.

use anyhow::Context;
use carillon_testkit::CollectedSpan;

/// The span of a trace whose parent is not among its spans.
pub(super) fn root(spans: &[CollectedSpan]) -> anyhow::Result<&CollectedSpan> {
    spans.iter().find(|span| is_root(spans, span)).context("a trace without a root")
}

/// One line for each span, below its parent: its name, its kind, and the service that it is of. Spans of one parent
/// are in alphabetical order.
pub(super) fn tree(spans: &[CollectedSpan]) -> String {
    let mut text = String::new();
    let roots = spans.iter().filter(|span| is_root(spans, span));
    draw(spans, roots.collect(), 0, &mut text);
    text
}

fn is_root(spans: &[CollectedSpan], span: &CollectedSpan) -> bool {
    spans.iter().all(|other| other.id != span.parent)
}

fn draw(spans: &[CollectedSpan], mut level: Vec<&CollectedSpan>, depth: usize, text: &mut String) {
    level.sort_by_key(|span| (&span.name, &span.kind));
    for span in level {
        let (indent, service) = ("  ".repeat(depth), span.attribute("carillon.service"));
        text.push_str(&format!("{indent}{} ({}, {service})\n", span.name, span.kind));
        let below = spans.iter().filter(|other| other.parent == span.id);
        draw(spans, below.collect(), depth + 1, text);
    }
}
