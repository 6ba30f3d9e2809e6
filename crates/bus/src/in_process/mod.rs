//! The bus inside one process.

mod queue;
mod table;

use std::{
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll},
};

use bytes::Bytes;
use carillon_contract::{Pattern, Subject};
use tokio::task::coop;

use self::{queue::Queue, table::Table};
use crate::{
    Limits, Message, PublishError, RequestError, TraceContext,
    message::{Incoming, ReplySlot, ReplyTo},
    signal::Signals,
};

/// Everything that the clones of one in-process bus share.
#[derive(Debug)]
pub(crate) struct InProcess {
    limits: Limits,
    table: RwLock<Table>,
    signals: Arc<Signals>,
}

/// One subscription.
#[derive(Debug)]
pub(crate) struct Listener {
    bus: Arc<InProcess>,
    pattern: Pattern,
    queue: Arc<Queue>,
}

impl InProcess {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, table: RwLock::default(), signals: Signals::new() })
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.signals
    }

    pub(crate) async fn publish(&self, subject: &Subject, payload: Bytes) -> Result<(), PublishError> {
        // A publisher in a tight loop leaves its turn to those who listen, as it would over NATS.
        coop::consume_budget().await;
        self.deliver(subject, payload, None).map(drop)
    }

    pub(crate) async fn request(&self, subject: &Subject, payload: Bytes) -> Result<Bytes, RequestError> {
        coop::consume_budget().await;
        let (slot, reply) = ReplySlot::new();
        if self.deliver(subject, payload, Some(ReplyTo::InProcess(slot)))? == 0 {
            return Err(RequestError::NoResponders);
        }
        // Without a sender nobody will ever reply: over NATS that is known by the deadline only.
        reply.await.map_err(|_| RequestError::TimedOut)?.map_err(RequestError::Refused)
    }

    pub(crate) fn subscribe(self: &Arc<Self>, pattern: Pattern, group: Option<&'static str>) -> Listener {
        let queue = Arc::new(Queue::new(self.limits.queue));
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        table.insert(&pattern, group, Arc::clone(&queue));
        drop(table);
        Listener { bus: Arc::clone(self), pattern, queue }
    }

    pub(crate) fn check(&self, payload: &Bytes) -> Result<(), PublishError> {
        if payload.len() > self.limits.payload { Err(PublishError::TooLarge) } else { Ok(()) }
    }

    /// Hands a message to everyone whom it concerns, and says how many those are.
    fn deliver(
        &self,
        subject: &Subject,
        payload: Bytes,
        reply_to: Option<ReplyTo>,
    ) -> Result<usize, PublishError> {
        self.check(&payload)?;
        let trace = TraceContext::current();
        let mut listeners = 0;
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        table.route(subject.as_str(), |subject, queue| {
            listeners += 1;
            let message =
                Message { subject: Arc::clone(subject), payload: payload.clone(), trace: trace.clone() };
            if !queue.push(Incoming { message, reply_to: reply_to.clone() }) {
                self.signals.dropped();
            }
        });
        Ok(listeners)
    }
}

impl Listener {
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        self.queue.poll(context)
    }

    /// Ends the subscription; what waits can still be taken.
    pub(crate) fn unsubscribe(&self) {
        let mut table = self.bus.table.write().unwrap_or_else(PoisonError::into_inner);
        table.remove(&self.pattern, &self.queue);
        drop(table);
        self.queue.close();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.unsubscribe();
        self.queue.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_dropped_leaves_nothing_behind() {
        let bus = InProcess::new(Limits::default());
        let exact = bus.subscribe(Subject::test("a").into(), None);
        let below = bus.subscribe(Pattern::test_below("a", true), Some("group"));
        drop((exact, below));
        assert!(bus.table.read().expect("a table").is_empty());
        assert_eq!(Arc::strong_count(&bus), 1);
    }
}
