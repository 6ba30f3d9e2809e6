//! Publishing events once they are committed.

use carillon_bus::Bus;
use carillon_contract::{Channel, Subject, messages::Event};
use carillon_trace::{Kind, Span};
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
            let mut span = publication(&channel, event);
            if let Err(error) = span.scope(self.bus.publish(&Subject::live(&channel), payload)).await {
                span.fail("not published");
                tracing::warn!(channel = %channel, offset = event.offset, %error, "an event was not published");
            }
        }
    }
}

/// The span of an event's publication, from which its deliveries at the gateways follow. Its channel stays out of
/// it but for the first word, since it may name a user, or be named by one.
fn publication(channel: &Channel, event: &Event) -> Span {
    let mut span = Span::child(Kind::Producer, || format!("publish {}", channel.kind()).into());
    if span.is_recording() {
        span.set("carillon.channel.kind", channel.kind().to_owned());
        span.set_count("carillon.offset", event.offset);
    }
    span
}
