//! The system as this replica sees it.

use carillon_bus::Bus;
use carillon_contract::messages::Beacon;
use carillon_service::Shell;
use carillon_store::now;

use super::{
    changes::{self, Change, Changes},
    roster::Roster,
    states::{self, States, Topic},
};

/// Who is there, how everything is, and what has changed lately.
pub(super) struct View {
    bus: Bus,
    /// This replica's own name and age.
    replica: String,
    started_at: i64,
    roster: Roster,
    /// As they were when it was last compared. `None` before anybody could tell.
    states: Option<States>,
    changes: Changes,
}

impl View {
    pub(super) fn new(shell: &Shell) -> Self {
        Self {
            bus: shell.bus.clone(),
            replica: shell.health.replica().to_owned(),
            started_at: shell.health.started_at(),
            roster: Roster::default(),
            states: None,
            changes: Changes::default(),
        }
    }

    pub(super) fn hear(&mut self, beacon: Beacon) {
        self.roster.hear(beacon);
    }

    /// Some time has passed. While nobody can be heard, nobody is missed.
    pub(super) fn look(&mut self) {
        if self.bus.is_connected() {
            self.roster.look();
        } else {
            self.roster.spare();
        }
    }

    /// Nobody could be heard for a while.
    pub(super) fn spare(&mut self) {
        self.roster.spare();
    }

    /// Compares everything with how it was before. True if anything is told that wasn't.
    pub(super) fn compare(&mut self) -> bool {
        let (after, at) = (states::of(&self.roster, self.bus.is_connected()), now());
        self.changes.forget(at);
        let (gone, returned) = (self.roster.take_gone(), self.roster.take_returned());
        let Some(before) = self.states.replace(after) else {
            self.roster.settle();
            return false;
        };
        let after = self.states.as_ref().unwrap_or(&before);
        let became = |topic: &Topic| {
            let Topic::Replica(key) = topic else { return None };
            gone.iter().find(|(other, _)| other == key).map(|(_, because)| *because)
        };
        let mut changes = changes::between(&before, after, became, at);
        changes.extend(returned.into_iter().map(|key| Change {
            at,
            topic: Topic::Connection(key),
            from: Some("disconnected"),
            to: "connected",
        }));
        let has_news = !changes.is_empty();
        changes.into_iter().for_each(|change| self.changes.add(change));
        has_news
    }

    /// Whether it is for this replica to speak: none that goes on has been there for longer.
    pub(super) fn speaks(&self) -> bool {
        self.bus.is_connected() && !self.roster.has_elder(self.started_at, &self.replica)
    }

    pub(super) fn bus(&self) -> &Bus {
        &self.bus
    }

    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }
}
