//! Publishing events once they are committed.

use carillon_bus::Bus;
use carillon_contract::{Channel, Subject, messages::Event};
use prost::Message;

/// Publishes committed events to whoever listens.
#[derive(Clone)]
pub struct Publisher {
    bus: Bus,
}

impl Publisher {
    /// A publisher on this bus.
    pub fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// Publishes each event to its channel, in order. It never fails: a durable event is in the
    /// log, and whoever misses it there learns of it from the channel's head.
    pub async fn publish(&self, events: &[Event]) {
        for event in events {
            let channel: Channel = match event.channel.parse() {
                Ok(channel) => channel,
                Err(error) => {
                    tracing::error!(%error, "an event has no valid channel");
                    continue;
                }
            };
            let payload = event.encode_to_vec().into();
            if let Err(error) = self.bus.publish(&Subject::live(&channel), payload).await {
                tracing::warn!(channel = %channel, offset = event.offset, %error, "an event was not published");
            }
        }
    }
}
