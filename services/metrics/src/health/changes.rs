//! What has changed its state lately.

use std::{collections::VecDeque, time::Duration};

use carillon_service::time::microseconds;

use super::states::{States, Topic};

/// For how long a change is told again, so that whoever missed it at once, or comes later, learns of it.
const TOLD: Duration = Duration::from_secs(60);

/// The most changes that are told.
const MOST: usize = 100;

/// Something is no longer in the state that it was in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Microseconds since 1970.
    pub(super) at: i64,
    pub(super) topic: Topic,
    /// `None`: it was not there.
    pub(super) from: Option<&'static str>,
    pub(super) to: &'static str,
}

/// The changes of the last minute, the latest first.
#[derive(Debug, Default)]
pub(super) struct Changes(VecDeque<Change>);

impl Changes {
    pub(super) fn add(&mut self, change: Change) {
        self.0.push_front(change);
        self.0.truncate(MOST);
    }

    /// Forgets what is told no more.
    pub(super) fn forget(&mut self, now: i64) {
        self.0.retain(|change| now.saturating_sub(change.at) <= microseconds(TOLD));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Change> {
        self.0.iter()
    }
}

/// What is in another state than before; of what is no longer there `gone` may tell what has become of it.
pub(super) fn between(
    before: &States,
    after: &States,
    gone: impl Fn(&Topic) -> Option<&'static str>,
    at: i64,
) -> Vec<Change> {
    let change = |topic: &Topic, from, to| Change { at, topic: topic.clone(), from, to };
    let changed = after.iter().filter_map(|(topic, to)| {
        let from = before.get(topic).copied();
        (from != Some(*to)).then(|| change(topic, from, to))
    });
    let ended = before.iter().filter(|(topic, _)| !after.contains_key(topic));
    changed
        .chain(ended.map(|(topic, from)| change(topic, Some(*from), gone(topic).unwrap_or("gone"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_changes_and_goes_is_told_and_what_stays_is_not() {
        use carillon_contract::{Program::Gateway, Program::Service, ServiceName::Chat};
        let before: States = [
            (Topic::System, "healthy"),
            (Topic::Service(Gateway), "healthy"),
            (Topic::Database(Service(Chat)), "reachable"),
        ]
        .into();
        let after: States =
            [(Topic::System, "degraded"), (Topic::Service(Gateway), "healthy"), (Topic::Nats, "connected")]
                .into();
        let changes = between(&before, &after, |_| None, 7);
        let told: Vec<_> =
            changes.iter().map(|change| (change.topic.clone(), change.from, change.to)).collect();
        assert_eq!(
            told,
            [
                (Topic::System, Some("healthy"), "degraded"),
                (Topic::Nats, None, "connected"),
                (Topic::Database(Service(Chat)), Some("reachable"), "gone"),
            ]
        );
    }

    #[test]
    fn a_change_is_told_for_a_minute_and_no_more_than_a_hundred_are() {
        let mut changes = Changes::default();
        for at in 0..200 {
            changes.add(Change { at, topic: Topic::System, from: None, to: "healthy" });
        }
        assert_eq!(
            (changes.iter().count(), changes.iter().next().map(|change| change.at)),
            (MOST, Some(199))
        );
        changes.forget(60_000_000 + 150);
        assert_eq!(changes.iter().count(), 50);
    }
}
