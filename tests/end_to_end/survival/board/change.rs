//! Changes, as those who make them and those who hear of them know them.

use anyhow::{Context, bail};
use serde_json::Value;

/// What is done to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Created,
    Updated,
    Commented,
    Deleted,
}

/// One change. No other has all of these.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) what: What,
    pub(super) ticket: u64,
    pub(super) key: String,
    /// A new ticket's title, a changed one's description, or a comment's text: its writer gives each another one.
    pub(super) mark: String,
}

impl Change {
    /// A change as the events tell it.
    pub(super) fn told(frame: &Value) -> anyhow::Result<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned).with_context(|| frame.to_string());
        let data = &frame["data"];
        let kind = frame["type"].as_str().unwrap_or_default();
        let (what, key, mark) = match (kind, frame["action"].as_str()) {
            ("ticket_update", Some("created")) => (What::Created, &data["key"], text(&data["title"])?),
            ("ticket_update", Some("updated")) => {
                (What::Updated, &data["key"], text(&frame["changes"]["description"]["to"])?)
            }
            ("ticket_update", Some("deleted")) => (What::Deleted, &data["key"], String::new()),
            ("comment_added", None) => (What::Commented, &data["ticket_key"], text(&data["message"])?),
            _ => bail!("what is this? {frame}"),
        };
        Ok(Self { what, ticket: data["ticket_id"].as_u64().context("no ticket")?, key: text(key)?, mark })
    }

    /// The key of a ticket that was created.
    pub(super) fn created_key(&self) -> Option<&str> {
        (self.what == What::Created).then_some(self.key.as_str())
    }
}
