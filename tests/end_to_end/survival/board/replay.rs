//! A board that begins empty, and to which happens what the events say.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::change::{Change, What};

/// What one client knows of a project's tickets.
#[derive(Default)]
pub(super) struct Board {
    /// By id.
    pub(super) tickets: BTreeMap<u64, Ticket>,
    /// How often each user has been notified, by id.
    pub(super) notified: BTreeMap<u64, usize>,
}

/// A ticket: its JSON text, which takes less room than the value, and what changes without it.
pub(super) struct Ticket {
    text: String,
    version: u64,
    comments: u64,
    reporter: u64,
}

impl Board {
    /// Applies an event, which has to fit what is there.
    pub(super) fn apply(&mut self, frame: &Value) -> anyhow::Result<Change> {
        let change = Change::told(frame)?;
        let before = self.tickets.remove(&change.ticket);
        ensure!(before.is_none() == (change.what == What::Created), "{frame} does not fit");
        match before {
            None => {
                self.tickets.insert(change.ticket, Ticket::read(&frame["data"])?);
                self.assigned(frame, &frame["data"]["assignee"]);
            }
            Some(_) if change.what == What::Deleted => {}
            Some(mut ticket) if change.what == What::Commented => {
                ticket.comments += 1;
                ensure!(
                    frame["data"]["comments"] == ticket.comments,
                    "{frame} after {}",
                    ticket.comments - 1
                );
                self.notify(frame, Some(ticket.reporter));
                self.tickets.insert(change.ticket, ticket);
            }
            Some(before) => {
                let after = Ticket::read(&frame["data"])?;
                ensure!(after.version == before.version + 1, "{frame} after version {}", before.version);
                ensure!(after.comments == before.comments, "{frame} after {} comments", before.comments);
                self.tickets.insert(change.ticket, after);
                self.assigned(frame, &frame["changes"]["assignee"]["to"]);
            }
        }
        Ok(change)
    }

    fn assigned(&mut self, frame: &Value, assignee: &Value) {
        self.notify(frame, assignee["id"].as_u64());
    }

    /// Somebody is, unless it did that itself.
    fn notify(&mut self, frame: &Value, user: Option<u64>) {
        if let Some(user) = user.filter(|user| frame["actor"]["id"] != *user) {
            *self.notified.entry(user).or_default() += 1;
        }
    }
}

impl Ticket {
    fn read(data: &Value) -> anyhow::Result<Self> {
        let number = |value: &Value| value.as_u64().with_context(|| data.to_string());
        Ok(Self {
            text: data.to_string(),
            version: number(&data["version"])?,
            comments: number(&data["comments"])?,
            reporter: number(&data["reporter"]["id"])?,
        })
    }

    /// As the API shows it.
    pub(super) fn value(&self) -> anyhow::Result<Value> {
        let mut value: Value = serde_json::from_str(&self.text)?;
        value["comments"] = self.comments.into();
        Ok(value)
    }
}
