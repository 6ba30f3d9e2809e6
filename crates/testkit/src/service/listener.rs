//! What a service publishes, and what its log holds.

use std::time::Duration;

use carillon_bus::{Bus, Subscription};
use carillon_contract::{
    Channel, Subject,
    messages::{Event, HistoryRequest},
};
use futures_util::StreamExt;
use prost::Message;
use serde_json::Value;

/// How long an event may take.
const EVENT: Duration = Duration::from_secs(30);

/// What is published to a channel, from the moment it was made.
#[derive(Debug)]
pub struct Listener(Subscription);

impl Listener {
    /// Subscribes.
    ///
    /// # Panics
    /// If the bus refuses.
    pub async fn new(bus: &Bus, channel: &Channel) -> Self {
        Self(bus.subscribe(Subject::live(channel)).await.expect("a subscription"))
    }

    /// The next event. Announcements of heads, which a replica makes when it has started, are passed over.
    ///
    /// # Panics
    /// If none comes in time.
    pub async fn next(&mut self) -> Event {
        loop {
            let message = tokio::time::timeout(EVENT, self.0.next());
            let message = message.await.expect("an event in time").expect("an event");
            let event = Event::decode(message.payload).expect("an event");
            if !event.variants.is_empty() || event.dismissal.is_some() {
                return event;
            }
        }
    }

    /// The default JSON of the next event.
    pub async fn json(&mut self) -> Value {
        json_of(&self.next().await, "")
    }
}

/// An event's JSON for a dialect.
///
/// # Panics
/// If it has none.
pub fn json_of(event: &Event, dialect: &str) -> Value {
    let named = event.variants.iter().find(|variant| variant.dialects.iter().any(|name| name == dialect));
    let variant = named.or_else(|| event.variants.iter().find(|variant| variant.dialects.is_empty()));
    serde_json::from_slice(&variant.expect("a variant").json).expect("JSON")
}

/// Every event in the log of a channel.
///
/// # Panics
/// If its owner doesn't answer.
pub async fn history(bus: &Bus, channel: &Channel) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.offset);
        let request = HistoryRequest { channel: channel.to_string(), after, limit: 1_000 };
        let reply = bus.call(channel.owner(), &request).await.expect("a reply");
        if reply.events.is_empty() {
            return events;
        }
        events.extend(reply.events);
    }
}
