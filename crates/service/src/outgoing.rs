//! Events of one transaction on their way to the bus.

use carillon_contract::messages::Event;
use tokio::sync::Mutex;

use crate::Publisher;

/// The committed events of a batch, shared by its callers: whoever is first publishes all of them,
/// in order, while the others wait. So none is acknowledged before it is published, and callers
/// that run side by side don't turn the order round.
#[derive(Debug, Default)]
pub struct Outgoing(Mutex<Vec<Event>>);

impl Outgoing {
    /// What a transaction has appended, in its order.
    pub fn new(events: Vec<Event>) -> Self {
        Self(Mutex::new(events))
    }

    /// Publishes what nobody has yet, and returns once all are published. A caller that gives up
    /// half-way leaves them to the next.
    pub async fn publish(&self, publisher: &Publisher) {
        let mut events = self.0.lock().await;
        publisher.publish(&events).await;
        events.clear();
    }
}
