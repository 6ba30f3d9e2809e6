//! Everyone who is typing, as far as one replica knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

/// The most users that are known to be typing. Of more than that nobody hears.
const MAX_TYPISTS: usize = 10_000;

/// How much later a replica tells that it is over if another one ought to have done so.
const PATIENCE: Duration = Duration::from_secs(1);

/// A user in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Typist {
    pub(super) conversation: i64,
    pub(super) user: String,
}

/// Somebody is typing, or no longer.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) typist: Typist,
    /// The user, as clients see it.
    pub(super) person: Value,
    pub(super) connection: String,
    /// Of the connection's frames: the higher is the later.
    pub(super) number: u64,
    pub(super) is_typing: bool,
    /// This replica heard it from the client; otherwise another one did.
    pub(super) is_own: bool,
}

/// Somebody whose time is over.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Over {
    pub(super) typist: Typist,
    pub(super) person: Value,
    pub(super) connection: String,
    pub(super) number: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    /// How long a user types unless it says so again.
    duration: Duration,
    entries: BTreeMap<Typist, Entry>,
    due: BTreeSet<(Instant, Typist)>,
}

/// The last that was heard of somebody. One who has stopped is remembered for a while, since what was
/// said before may still be on its way from another replica.
#[derive(Debug)]
struct Entry {
    person: Value,
    connection: String,
    number: u64,
    is_typing: bool,
    due: Instant,
}

impl Table {
    pub(super) fn new(duration: Duration) -> Self {
        Self { duration, entries: BTreeMap::new(), due: BTreeSet::new() }
    }

    /// Takes in what was heard. Whether clients are to be told: it is news.
    pub(super) fn hear(&mut self, heard: Heard, now: Instant) -> bool {
        let Heard { typist, person, connection, number, is_typing, is_own } = heard;
        let known = self.entries.get(&typist);
        if known.is_none() && self.entries.len() >= MAX_TYPISTS {
            return false;
        }
        // What one tab stops another may still be doing.
        if known.is_some_and(|known| is_late(known, &connection, number, is_typing)) {
            return false;
        }
        // One who stops of whom nothing was known: the start may still be on its way.
        let is_news = known.is_none_or(|known| known.is_typing != is_typing);
        let patience = if is_own { Duration::ZERO } else { PATIENCE };
        let entry = Entry { person, connection, number, is_typing, due: now + self.duration + patience };
        self.due.insert((entry.due, typist.clone()));
        if let Some(before) = self.entries.insert(typist.clone(), entry)
            && self.entries.get(&typist).is_some_and(|entry| entry.due != before.due)
        {
            self.due.remove(&(before.due, typist));
        }
        is_news
    }

    /// When somebody's time is over next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Forgets those whose time is over, and returns the ones of whom clients are to be told.
    pub(super) fn over(&mut self, now: Instant) -> Vec<Over> {
        let mut over = Vec::new();
        while self.due.first().is_some_and(|(due, _)| *due <= now) {
            let Some((_, typist)) = self.due.pop_first() else { break };
            let Some(entry) = self.entries.remove(&typist) else { continue };
            if entry.is_typing {
                let Entry { person, connection, number, .. } = entry;
                over.push(Over { typist, person, connection, number });
            }
        }
        over
    }

    /// Somebody who is typing over this connection.
    pub(super) fn person(&self, typist: &Typist, connection: &str) -> Option<&Value> {
        let entry = self.entries.get(typist)?;
        (entry.is_typing && entry.connection == connection).then_some(&entry.person)
    }

    /// Those who are typing in a conversation, but for one.
    pub(super) fn typing_in(&self, conversation: i64, except: &str) -> impl Iterator<Item = &Value> {
        let first = Typist { conversation, user: String::new() };
        let there = self.entries.range(first..).take_while(move |(it, _)| it.conversation == conversation);
        there.filter(move |(it, entry)| entry.is_typing && it.user != except).map(|(_, entry)| &entry.person)
    }
}

/// Whether something later is known already: of the same connection, a frame of a higher number, or
/// this one; and while one connection is typing, that another one isn't.
fn is_late(known: &Entry, connection: &str, number: u64, is_typing: bool) -> bool {
    match known.connection == connection {
        true => known.number > number || known.number == number && known.is_typing == is_typing,
        false => known.is_typing && !is_typing,
    }
}

#[cfg(test)]
#[path = "table/tests.rs"]
mod tests;
