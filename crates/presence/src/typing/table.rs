//! Everyone who is typing, as far as one replica knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;
use tokio::time::Instant;

use super::{Said, Typist};

/// The most users that are known to be typing. Of more than that nobody hears.
const MAX_TYPISTS: usize = 10_000;

/// In how many topics one connection is known to be typing, lest it be all of them.
const MAX_OF_A_CONNECTION: usize = 20;

/// How much later a replica tells that it is over if another one ought to have done so.
const PATIENCE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    /// How long a user types unless it says so again.
    duration: Duration,
    entries: BTreeMap<Typist, Entry>,
    due: BTreeSet<(Instant, Typist)>,
    /// Each entry's connection.
    connections: BTreeSet<(String, Typist)>,
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
        Self { duration, entries: BTreeMap::new(), due: BTreeSet::new(), connections: BTreeSet::new() }
    }

    /// Takes in what was heard, from the client or else from another replica. Whether clients are to be
    /// told: it is news.
    pub(super) fn hear(&mut self, said: Said, is_own: bool, now: Instant) -> bool {
        let Said { typist, person, connection, number, is_typing } = said;
        let known = self.entries.get(&typist);
        if known.is_none() && !self.has_room(&connection) {
            return false;
        }
        // What one tab stops another may still be doing.
        if known.is_some_and(|known| is_late(known, &connection, number, is_typing)) {
            return false;
        }
        // One who stops of whom nothing was known: the start may still be on its way.
        let is_news = known.is_none_or(|known| known.is_typing != is_typing);
        let patience = if is_own { Duration::ZERO } else { PATIENCE };
        let due = now + self.duration + patience;
        self.forget(&typist);
        self.due.insert((due, typist.clone()));
        self.connections.insert((connection.clone(), typist.clone()));
        self.entries.insert(typist, Entry { person, connection, number, is_typing, due });
        is_news
    }

    /// When somebody's time is over next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Forgets those whose time is over, and returns the ones of whom clients are to be told.
    pub(super) fn over(&mut self, now: Instant) -> Vec<Said> {
        let mut over = Vec::new();
        while let Some((due, typist)) = self.due.first().cloned()
            && due <= now
        {
            let Some(entry) = self.forget(&typist) else { break };
            if entry.is_typing {
                let Entry { person, connection, number, .. } = entry;
                over.push(Said { typist, person, connection, number, is_typing: false });
            }
        }
        over
    }

    /// That somebody stops with a frame, if it is typing over this connection.
    pub(super) fn stop(&self, typist: &Typist, connection: &str, number: u64) -> Option<Said> {
        let entry = self.entries.get(typist)?;
        let (typist, connection) = (typist.clone(), connection.to_owned());
        (entry.is_typing && entry.connection == connection).then(|| Said {
            typist,
            person: entry.person.clone(),
            connection,
            number,
            is_typing: false,
        })
    }

    /// Where somebody is known to be typing over this connection, or to have stopped.
    pub(super) fn of_connection(&self, connection: &str) -> impl Iterator<Item = &Typist> {
        let first = (connection.to_owned(), Typist::default());
        let own = self.connections.range(first..).take_while(move |(it, _)| it == connection);
        own.map(|(_, typist)| typist)
    }

    /// Those who are typing in a topic.
    pub(super) fn typing_in(&self, topic: &str) -> impl Iterator<Item = (&Typist, &Value)> {
        self.typing_below(topic).take_while(move |(it, _)| it.topic == topic)
    }

    /// Those who are typing in any topic that begins with a text.
    pub(super) fn typing_below(&self, prefix: &str) -> impl Iterator<Item = (&Typist, &Value)> {
        let first = Typist { topic: prefix.to_owned(), user: String::new() };
        let there = self.entries.range(first..).take_while(move |(it, _)| it.topic.starts_with(prefix));
        there.filter(|(_, entry)| entry.is_typing).map(|(typist, entry)| (typist, &entry.person))
    }

    fn has_room(&self, connection: &str) -> bool {
        self.entries.len() < MAX_TYPISTS && self.of_connection(connection).count() < MAX_OF_A_CONNECTION
    }

    fn forget(&mut self, typist: &Typist) -> Option<Entry> {
        let entry = self.entries.remove(typist)?;
        self.due.remove(&(entry.due, typist.clone()));
        self.connections.remove(&(entry.connection.clone(), typist.clone()));
        Some(entry)
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
