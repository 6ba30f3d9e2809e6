//! The traces of writes that share a transaction, which can be in one of them only.

use std::{future::Future, sync::Arc};

use carillon_trace::{Span, TraceContext};

use super::{Batch, Job};
use crate::{Database, span};

tokio::task_local! {
    /// Where the items of the batch are that is being applied, each in its trace.
    static ITEMS: Arc<[Option<TraceContext>]>;
}

/// Where this one of the items of the batch is that is being applied.
pub(crate) fn of_item(index: usize) -> Option<TraceContext> {
    ITEMS.try_with(|items| items.get(index).cloned().flatten()).ok().flatten()
}

/// The spans of the writes of one transaction, as far as they are recorded.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// The first, whose trace has the transaction and all that follows from it.
    first: Option<TraceContext>,
    /// The others: they and the first, or the transaction, name each other.
    others: Vec<TraceContext>,
    /// Where each is, recorded or not, if any of them is recorded.
    items: Option<Arc<[Option<TraceContext>]>>,
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
        traces.items = traces.first.as_ref().map(|_| jobs.iter().map(|job| job.trace.clone()).collect());
        traces
    }

    /// A write by itself.
    pub(super) fn of_one<B: Batch>(job: &Job<B>) -> Self {
        let first = job.span.context().filter(|_| job.span.is_recording()).cloned();
        let items = first.as_ref().map(|_| [job.trace.clone()].into());
        Self { first, others: Vec::new(), items }
    }

    /// Runs what is done with the items, where they are known by their places in the batch.
    pub(super) async fn scope<F: Future>(&self, future: F) -> F::Output {
        match self.items.clone() {
            Some(items) => ITEMS.scope(items, future).await,
            None => future.await,
        }
    }

    /// The transaction of so many writes.
    pub(super) fn transaction(&self, database: &Database, items: usize) -> Span {
        let mut span = span::transaction(database, self.first.as_ref());
        span.set_count("db.operation.batch.size", items);
        self.others.iter().for_each(|other| span.link(other));
        span
    }
}
