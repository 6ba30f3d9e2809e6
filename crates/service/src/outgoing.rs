//! Events of one transaction on their way to the bus.

use std::slice;

use carillon_contract::messages::Event;
use carillon_store::Appended;
use carillon_trace::TraceContext;
use tokio::sync::Mutex;

use crate::Publisher;

/// The committed events of a batch, shared by its callers: whoever is first publishes all of them,
/// in order, while the others wait. So none is acknowledged before it is published, and callers
/// that run side by side don't turn the order round.
///
/// Each is published in the trace that it follows from; where that isn't known, in the one that its transaction is in.
#[derive(Debug, Default)]
pub struct Outgoing {
    events: Mutex<Vec<(Event, Option<TraceContext>)>>,
    /// Of the transaction.
    trace: Option<TraceContext>,
}

impl Outgoing {
    /// What a transaction has appended, in its order. It is made within the transaction.
    pub fn new(events: Vec<Event>) -> Self {
        Self::traced(events.into_iter().map(|event| (event, None)).collect())
    }

    /// [`new`](Self::new), for events whose traces the log was told.
    pub fn of(appended: impl IntoIterator<Item = Appended>) -> Self {
        Self::traced(appended.into_iter().map(|appended| (appended.event, appended.trace)).collect())
    }

    /// Publishes what nobody has yet, and returns once all are published. A caller that gives up
    /// half-way leaves them to the next.
    pub async fn publish(&self, publisher: &Publisher) {
        let mut events = self.events.lock().await;
        for (event, trace) in &*events {
            let trace = trace.clone().or_else(|| self.trace.clone());
            TraceContext::scope_in(trace, publisher.publish(slice::from_ref(event))).await;
        }
        events.clear();
    }

    fn traced(events: Vec<(Event, Option<TraceContext>)>) -> Self {
        Self { events: Mutex::new(events), trace: TraceContext::current() }
    }
}
