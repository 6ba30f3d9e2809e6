//! Frames of `carillon.v1`, as far as a listener reads them.

use carillon_contract::Channel;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// Any frame: an event has no `type`.
#[derive(Debug, Deserialize)]
pub(super) struct Frame {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// Of a reply: which of the channels was asked for.
    #[serde(default)]
    pub(super) id: Value,
    pub(super) channel: Option<String>,
    pub(super) offset: Option<u64>,
    pub(super) epoch: Option<String>,
    pub(super) data: Option<Box<RawValue>>,
    pub(super) recovered: Option<bool>,
    pub(super) missed: Option<u64>,
    pub(super) first: Option<u64>,
    #[serde(default)]
    pub(super) events: Vec<Past>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    #[serde(default)]
    pub(super) retry: bool,
    pub(super) retry_after: Option<u64>,
    pub(super) after_ms: Option<u64>,
    pub(super) count: Option<u64>,
}

/// An event of a page of history.
#[derive(Debug, Deserialize)]
pub(super) struct Past {
    pub(super) offset: u64,
    pub(super) data: Box<RawValue>,
}

impl Frame {
    /// The code and the words of a refusal.
    pub(super) fn refusal(&self) -> String {
        format!("{} ({})", self.message.as_deref().unwrap_or("refused"), self.code.as_deref().unwrap_or("?"))
    }

    /// The channel's place in the list, by the reply's id.
    pub(super) fn number(&self) -> Option<usize> {
        self.id.as_u64().and_then(|id| usize::try_from(id).ok())
    }
}

/// A request to listen, from a place on if there is one.
pub(super) fn subscribe(id: usize, channel: &Channel, since: Option<String>) -> Value {
    let mut request = serde_json::json!({"id": id, "type": "subscribe", "channel": channel.as_str()});
    if let Some(since) = since {
        request["since"] = since.into();
    }
    request
}

/// A request for a page of what was said before.
pub(super) fn history(id: usize, channel: &Channel, after: u64) -> Value {
    serde_json::json!({"id": id, "type": "history", "channel": channel.as_str(), "after": after, "limit": 200})
}
