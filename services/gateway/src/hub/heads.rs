//! Comparing heads with the owners of channels: how a lost last event is found.

use std::time::Duration;

use carillon_bus::Bus;
use carillon_contract::{Channel, ServiceName, messages::HeadsRequest};

use super::Hub;

/// Channels asked for in one request.
const BATCH: usize = 1_000;

/// How often, and how long apart, an owner that doesn't answer is asked again.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(500);

/// Asks the owners how far their channels are, and tells the hub.
pub(super) async fn compare(bus: Bus, hub: Hub, channels: Vec<Channel>) {
    for owner in ServiceName::ALL {
        let owned: Vec<String> = channels
            .iter()
            .filter(|channel| channel.owner() == owner)
            .map(|channel| channel.as_str().to_owned())
            .collect();
        for batch in owned.chunks(BATCH) {
            ask(&bus, &hub, owner, HeadsRequest { channels: batch.to_vec() }).await;
        }
    }
}

async fn ask(bus: &Bus, hub: &Hub, owner: ServiceName, request: HeadsRequest) {
    for _ in 0..ATTEMPTS {
        match bus.call(owner, &request).await {
            Ok(reply) => return hub.heads(&reply.epoch, reply.channels).await,
            Err(error) => tracing::debug!(%owner, %error, "heads could not be compared yet"),
        }
        tokio::time::sleep(PAUSE).await;
    }
    tracing::warn!(%owner, "heads could not be compared");
}
