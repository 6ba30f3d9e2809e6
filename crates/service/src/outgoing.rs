//! Events of one transaction on their way to the bus.

use carillon_contract::messages::Event;
use carillon_trace::TraceContext;
use tokio::sync::Mutex;

use crate::Publisher;

/// The committed events of a batch, shared by its callers: whoever is first publishes all of them,
/// in order, while the others wait. So none is acknowledged before it is published, and callers
/// that run side by side don't turn the order round.
///
/// They are published in the trace of their transaction, whichever of its callers that is of.
#[derive(Debug, Default)]
pub struct Outgoing {
    events: Mutex<Vec<Event>>,
    trace: Option<TraceContext>,
}

impl Outgoing {
    /// What a transaction has appended, in its order. It is made within the transaction.
    pub fn new(events: Vec<Event>) -> Self {
        Self { events: Mutex::new(events), trace: TraceContext::current() }
    }

    /// Publishes what nobody has yet, and returns once all are published. A caller that gives up
    /// half-way leaves them to the next.
    pub async fn publish(&self, publisher: &Publisher) {
        let mut events = self.events.lock().await;
        if !events.is_empty() {
            TraceContext::scope_in(self.trace.clone(), publisher.publish(&events)).await;
            events.clear();
        }
    }
}
