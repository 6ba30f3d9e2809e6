//! Who is in a project and what they view, as frames and the API tell it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, ensure};
use serde_json::Value;

/// Who is in a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attendance {
    users: BTreeSet<String>,
    /// Each user's tickets; one that views none isn't here.
    viewing: BTreeMap<String, BTreeSet<u64>>,
}

impl Attendance {
    /// Reads it from a greeting, or from the API's answer.
    pub(super) fn read(told: &Value) -> anyhow::Result<Self> {
        let mut attendance = Self::default();
        let present = told["present"].as_array().with_context(|| told.to_string())?;
        for user in present {
            let tickets = user["viewing"].as_array().into_iter().flatten().filter_map(Value::as_u64);
            ensure!(attendance.come(&id(&user["user_id"])?, tickets), "named twice: {user}");
        }
        let since: Vec<_> = present.iter().map(|user| user["since"].as_str()).collect();
        ensure!(since.is_sorted(), "not in the order of their coming: {since:?}");
        ensure!(told["count"] == present.len(), "{} instead of {}", told["count"], present.len());
        Ok(attendance)
    }

    /// Applies an event, which has to fit what is there: nothing is said twice in a row.
    pub(super) fn apply(&mut self, frame: &Value) -> anyhow::Result<()> {
        let user = id(&frame["user_id"])?;
        let ticket = || frame["ticket_id"].as_u64().with_context(|| frame.to_string());
        let fits = match frame["action"].as_str().unwrap_or_default() {
            "joined" => self.users.insert(user),
            "left" => self.users.remove(&user),
            "started" => self.viewing.entry(user).or_default().insert(ticket()?),
            "stopped" => self.stop(&user, ticket()?),
            _ => false,
        };
        ensure!(fits, "{frame} does not fit {self:?}");
        if frame["type"] == "user_status" {
            ensure!(frame["count"] == self.users.len(), "{frame}: it is {}", self.users.len());
        }
        Ok(())
    }

    /// A user who is there with one more tab, which views these.
    pub(super) fn come(&mut self, user: &str, viewing: impl Iterator<Item = u64>) -> bool {
        for ticket in viewing {
            self.viewing.entry(user.to_owned()).or_default().insert(ticket);
        }
        self.users.insert(user.to_owned())
    }

    /// With one more user, who views nothing.
    pub(super) fn and(mut self, user: &str) -> Self {
        self.users.insert(user.to_owned());
        self
    }

    pub(super) fn has(&self, user: &str) -> bool {
        self.users.contains(user)
    }

    /// What another one has too much or too little.
    pub(super) fn difference(&self, other: &Self) -> String {
        let missing: Vec<_> = self.users.difference(&other.users).collect();
        let surplus: Vec<_> = other.users.difference(&self.users).collect();
        let views: Vec<_> = self
            .viewing
            .iter()
            .filter(|(user, tickets)| other.viewing.get(*user) != Some(*tickets))
            .collect();
        let viewed: Vec<_> = other
            .viewing
            .iter()
            .filter(|(user, tickets)| self.viewing.get(*user) != Some(*tickets))
            .collect();
        format!("missing: {missing:?}; too many: {surplus:?}; they view {views:?}, and not {viewed:?}")
    }

    fn stop(&mut self, user: &str, ticket: u64) -> bool {
        let Some(tickets) = self.viewing.get_mut(user) else { return false };
        let fits = tickets.remove(&ticket);
        if tickets.is_empty() {
            self.viewing.remove(user);
        }
        fits
    }
}

/// An id's text.
fn id(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("{value} is no id of these users"))
}
