//! Comparing heads with the owners of channels: how a lost last event is found.

use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

use carillon_bus::Bus;
use carillon_contract::{ServiceName, messages::HeadsRequest};

use super::{Hub, handle::Command};

/// Channels asked for in one request.
const BATCH: usize = 1_000;

/// How often, and how long apart, an owner that doesn't answer is asked again.
const ATTEMPTS: u32 = 30;
const PAUSE: Duration = Duration::from_millis(500);

/// The owners that are being asked: each once at a time, however often there is a reason to.
#[derive(Default)]
pub(super) struct Comparisons {
    /// And whether there was another reason meanwhile.
    running: HashMap<ServiceName, bool>,
}

impl Comparisons {
    /// Whether to ask this owner now. Otherwise [`Comparisons::ended`] will say to ask again.
    pub(super) fn begin(&mut self, owner: ServiceName) -> bool {
        match self.running.entry(owner) {
            Entry::Occupied(mut again) => {
                again.insert(true);
                false
            }
            Entry::Vacant(entry) => {
                entry.insert(false);
                true
            }
        }
    }

    /// This owner was asked. True if it is to be asked once more.
    pub(super) fn ended(&mut self, owner: ServiceName) -> bool {
        self.running.remove(&owner).unwrap_or(false)
    }
}

/// Asks an owner how far its channels are, and tells the hub.
pub(super) async fn compare(bus: Bus, hub: Hub, owner: ServiceName, channels: Vec<String>) {
    for batch in channels.chunks(BATCH) {
        if !ask(&bus, &hub, owner, HeadsRequest { channels: batch.to_vec() }).await {
            // The next comparison tries again.
            tracing::warn!(%owner, "heads could not be compared");
            break;
        }
    }
    let _ = hub.commands.send(Command::Compared(owner)).await;
}

async fn ask(bus: &Bus, hub: &Hub, owner: ServiceName, request: HeadsRequest) -> bool {
    for _ in 0..ATTEMPTS {
        match bus.call(owner, &request).await {
            Ok(reply) => {
                hub.heads(&reply.epoch, reply.channels).await;
                return true;
            }
            Err(error) => tracing::debug!(%owner, %error, "heads could not be compared yet"),
        }
        tokio::time::sleep(PAUSE).await;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_asked_once_at_a_time_and_once_more_if_there_was_reason() {
        let mut comparisons = Comparisons::default();
        assert!(comparisons.begin(ServiceName::Auth));
        assert!(comparisons.begin(ServiceName::Notification));
        assert!(!comparisons.begin(ServiceName::Auth));
        assert!(!comparisons.begin(ServiceName::Auth));
        assert!(comparisons.ended(ServiceName::Auth));
        assert!(comparisons.begin(ServiceName::Auth));
        assert!(!comparisons.ended(ServiceName::Auth));
        assert!(!comparisons.ended(ServiceName::Notification));
    }
}
