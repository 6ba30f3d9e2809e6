//! Where a client is in the channels that it listens to.

use serde_json::Value;

/// The epoch and, in the greeting's order, the last offset seen of each channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    epoch: Option<String>,
    channels: Vec<(String, u64)>,
}

impl Position {
    /// Learns from a frame: a greeting says where the client starts, an event how far it has come.
    pub(crate) fn learn(&mut self, frame: &Value) {
        if let (Some(epoch), Some(channels)) = (frame["epoch"].as_str(), frame["channels"].as_array()) {
            self.epoch = Some(epoch.to_owned());
            self.channels = channels.iter().filter_map(head).collect();
        } else if let (Some(name), Some(offset)) = (frame["channel"].as_str(), frame["offset"].as_u64()) {
            self.advance(name, offset);
        }
    }

    fn advance(&mut self, name: &str, offset: u64) {
        for (channel, seen) in &mut self.channels {
            if channel == name {
                *seen = offset.max(*seen);
            }
        }
    }

    /// The last offset seen of a channel.
    pub fn offset(&self, channel: &str) -> Option<u64> {
        self.channels.iter().find(|(name, _)| name == channel).map(|(_, offset)| *offset)
    }

    /// The value of `?since=` for a connection that continues here. `None` before a greeting.
    pub fn since(&self) -> Option<String> {
        let epoch = self.epoch.clone()?;
        Some(self.channels.iter().fold(epoch, |text, (_, offset)| format!("{text}.{offset}")))
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
    fn a_position_follows_the_events() {
        let mut position = Position::default();
        assert_eq!(position.since(), None);
        let channels = json!([{"name": "everyone", "offset": 4}, {"name": "user.1", "offset": 7}]);
        position.learn(&json!({"type": "connection.established", "epoch": "abc", "channels": channels}));
        assert_eq!(position.since().as_deref(), Some("abc.4.7"));
        position.learn(&json!({"type": "notification", "channel": "user.1", "offset": 9}));
        position.learn(&json!({"type": "notification", "channel": "user.1", "offset": 8}));
        position.learn(&json!({"type": "pong"}));
        assert_eq!(position.since().as_deref(), Some("abc.4.9"));
        assert_eq!(position.offset("everyone"), Some(4));
    }
}
