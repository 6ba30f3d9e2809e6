//! Where a client is in the channels that an endpoint tells of.

use carillon_contract::Since;
use serde_json::Value;

/// The epoch and, in the greeting's order, the last offset of each channel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    epoch: Option<String>,
    channels: Vec<(String, u64)>,
}

impl Place {
    /// Learns from a frame: a greeting says where the client begins, an event how far it has come.
    pub(crate) fn learn(&mut self, frame: &Value) {
        if let (Some(epoch), Some(channels)) = (frame["epoch"].as_str(), frame["channels"].as_array()) {
            self.epoch = Some(epoch.to_owned());
            self.channels = channels.iter().filter_map(head).collect();
        } else if let (Some(name), Some(offset)) = (frame["channel"].as_str(), frame["offset"].as_u64()) {
            self.advance(name, offset);
        }
    }

    /// An event of a channel has come.
    pub(crate) fn advance(&mut self, name: &str, offset: u64) {
        for (channel, seen) in &mut self.channels {
            if channel == name {
                *seen = offset.max(*seen);
            }
        }
    }

    /// The value of `since` with which to come back. `None` before the greeting.
    pub(crate) fn since(&self) -> Option<String> {
        let offsets: Vec<u64> = self.channels.iter().map(|(_, offset)| *offset).collect();
        let epoch = self.epoch.clone()?;
        (!offsets.is_empty()).then(|| Since { epoch, offsets }.to_string())
    }
}

fn head(channel: &Value) -> Option<(String, u64)> {
    Some((channel["name"].as_str()?.to_owned(), channel["offset"].as_u64()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_follows_the_greeting_and_events() {
        let mut place = Place::default();
        assert_eq!(place.since(), None);
        place.learn(
            &json!({"epoch": "e1", "channels": [{"name": "a", "offset": 2}, {"name": "b", "offset": 0}]}),
        );
        place.learn(&json!({"type": "event", "channel": "b", "offset": 7}));
        place.learn(&json!({"type": "event", "channel": "b", "offset": 3}));
        assert_eq!(place.since().as_deref(), Some("e1.2.7"));
    }
}
