//! The traces of writes that share a transaction, which can be in one of them only.

use carillon_trace::{Span, TraceContext};

use super::{Batch, Job};
use crate::{Database, span};

/// The spans of the writes of one transaction, as far as they are recorded.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// The first, whose trace has the transaction and all that follows from it.
    first: Option<TraceContext>,
    /// The others: they and the first, or the transaction, name each other.
    others: Vec<TraceContext>,
}

impl Traces {
    /// What waited until now.
    pub(super) fn of<B: Batch>(jobs: &mut [Job<B>]) -> Self {
        let mut traces = Self::default();
        let count = jobs.len();
        for span in jobs.iter_mut().map(|job| &mut job.span).filter(|span| span.is_recording()) {
            span.set_elapsed("carillon.group_commit.wait_seconds");
            span.set_count("carillon.group_commit.items", count);
            match (&traces.first, span.context().cloned()) {
                (Some(first), Some(context)) => {
                    span.link(first);
                    traces.others.push(context);
                }
                (None, context) => traces.first = context,
                (_, None) => {}
            }
        }
        traces
    }

    /// A write by itself.
    pub(super) fn of_one<B: Batch>(job: &Job<B>) -> Self {
        let first = job.span.context().filter(|_| job.span.is_recording()).cloned();
        Self { first, others: Vec::new() }
    }

    /// The transaction of so many writes.
    pub(super) fn transaction(&self, database: &Database, items: usize) -> Span {
        let mut span = span::transaction(database, self.first.as_ref());
        span.set_count("db.operation.batch.size", items);
        self.others.iter().for_each(|other| span.link(other));
        span
    }
}
