//! From connections that come and go to members who do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use carillon_store::{StoreError, Transaction};

use crate::{
    Entry, Position, Transition,
    entries::{self, Counted},
    members::{self, Change, Count, Place},
    positions,
    topics::{self, Topic},
};

/// Connections that go, come and move. All of them are locked, and none both goes and comes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Exchange<'a> {
    /// They leave whatever they are in.
    pub(crate) leaving: &'a [String],
    /// They leave for good; otherwise they come back to their positions if they are entered again.
    pub(crate) is_final: bool,
    pub(crate) arriving: &'a [&'a Entry],
    pub(crate) moving: &'a [&'a Position],
}

/// Counts connections out, in, and from one position to another.
pub(crate) async fn exchange(
    tx: &mut Transaction,
    now: i64,
    exchange: &Exchange<'_>,
) -> Result<Vec<Transition>, StoreError> {
    let Exchange { leaving, arriving, moving, .. } = exchange;
    let mut names = entries::topics_of(tx, leaving).await?;
    names.extend(arriving.iter().map(|entry| entry.topic.clone()));
    names.extend(moving.iter().map(|position| position.scope.clone()));
    let mut topics = topics::lock(tx, &names, now).await?;
    let removed = entries::remove(tx, leaving).await?;
    let added = entries::add(tx, arriving).await?;
    let shift = positions::shift(tx, now, exchange, &topics).await?;
    topics.extend(topics::lock(tx, &shift.topics(), now).await?);
    let details: HashMap<_, _> = arriving
        .iter()
        .map(|entry| ((entry.connection.as_str(), entry.topic.as_str()), entry.detail.as_str()))
        .collect();
    let detail = |counted: &Counted| {
        let detail = details.get(&(counted.connection.as_str(), counted.topic.as_str()));
        detail.copied().unwrap_or_default().to_owned()
    };
    let added = added.into_iter().map(|counted| (detail(&counted), counted));
    // Who leaves a scope has left its topics before, and who comes to one comes to its topics then.
    let removed = shift.removed.into_iter().chain(removed).collect();
    let added = added.chain(shift.added).collect();
    settle(tx, now, topics, removed, added).await
}

/// Counts members out of topics, with all their connections there, and out of the topics that these
/// are at of which those are the scopes.
pub(crate) async fn expel(
    tx: &mut Transaction,
    now: i64,
    members: &[(&str, &str)],
) -> Result<Vec<Transition>, StoreError> {
    let names: BTreeSet<String> = members.iter().map(|(topic, _)| (*topic).to_owned()).collect();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut topics = topics::lock(tx, &names, now).await?;
    let removed = entries::remove_members(tx, members).await?;
    let shift = positions::end(tx, &removed).await?;
    topics.extend(topics::lock(tx, &shift.topics(), now).await?);
    let removed = shift.removed.into_iter().chain(removed).collect();
    settle(tx, now, topics, removed, Vec::new()).await
}

/// Brings members, sizes and versions up to date with what was removed and added.
async fn settle(
    tx: &mut Transaction,
    now: i64,
    mut topics: BTreeMap<String, Topic>,
    removed: Vec<Counted>,
    added: Vec<(String, Counted)>,
) -> Result<Vec<Transition>, StoreError> {
    let changes = changes(removed, added);
    let counts = members::count(tx, &changes, now).await?;
    let mut transitions = Vec::new();
    for (place, change) in changes {
        let Some((count, topic)) = counts.get(&place).zip(topics.get_mut(&place.0)) else { continue };
        transitions.extend(transition(place, change, count, topic));
    }
    let changed: BTreeSet<&str> = transitions.iter().map(|transition| transition.topic.as_str()).collect();
    topics.retain(|name, _| changed.contains(name.as_str()));
    topics::save(tx, &topics, now).await?;
    Ok(transitions)
}

/// What happens to each member, in the order in which it first appears.
fn changes(removed: Vec<Counted>, added: Vec<(String, Counted)>) -> Vec<(Place, Change)> {
    let removed = removed.into_iter().map(|counted| (-1, None, counted));
    let added = added.into_iter().map(|(detail, counted)| (1, Some(detail), counted));
    let mut places: HashMap<Place, usize> = HashMap::new();
    let mut changes: Vec<(Place, Change)> = Vec::new();
    for (difference, detail, Counted { connection, topic, member }) in removed.chain(added) {
        let place = (topic, member);
        let slot = *places.entry(place.clone()).or_insert(changes.len());
        if slot == changes.len() {
            changes.push((place, Change { difference: 0, detail: None, connection: String::new() }));
        }
        let change = &mut changes[slot].1;
        change.difference += difference;
        change.detail = detail.or(change.detail.take());
        change.connection = connection;
    }
    changes
}

/// A transition, if the member was not there before, or is not there now.
fn transition(place: Place, change: Change, count: &Count, topic: &mut Topic) -> Option<Transition> {
    let before = count.connections - change.difference;
    let (was, is) = (before > 0, count.connections > 0);
    if was == is {
        return None;
    }
    topic.members += if is { 1 } else { -1 };
    topic.version += 1;
    Some(Transition {
        topic: place.0,
        member: place.1,
        detail: count.detail.clone(),
        connection: change.connection,
        joined: is,
        size: topic.members,
        version: topic.version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(connection: &str) -> Counted {
        Counted { connection: connection.into(), topic: "t".into(), member: "m".into() }
    }

    fn of(removed: &[&str], added: &[&str], now: i64) -> Option<Transition> {
        let removed = removed.iter().map(|connection| counted(connection)).collect();
        let added =
            added.iter().map(|connection| (format!("of {connection}"), counted(connection))).collect();
        let (place, change) = changes(removed, added).pop()?;
        let count = Count { connections: now, detail: change.detail.clone().unwrap_or_default() };
        transition(place, change, &count, &mut Topic { members: 1, version: 7 })
    }

    #[test]
    fn only_the_first_and_the_last_connection_are_transitions() {
        assert_eq!(of(&["a"], &["b"], 1), None);
        assert_eq!(of(&[], &["a"], 2), None);
        assert_eq!(of(&["a"], &[], 1), None);
        let joined = of(&[], &["a", "b"], 2).expect("a transition");
        assert!(joined.joined && joined.size == 2 && joined.version == 8);
        assert_eq!((joined.detail.as_str(), joined.connection.as_str()), ("of b", "b"));
        let left = of(&["a", "b"], &[], 0).expect("a transition");
        assert!(!left.joined && left.size == 0 && left.cause() == "presence:t:8");
    }
}
