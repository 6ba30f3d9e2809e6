//! Which connections are really there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

/// An open connection.
#[derive(Debug, Clone)]
pub(crate) struct Open {
    pub(crate) member: String,
    pub(crate) topics: Vec<&'static str>,
    /// The topic of each scope that it is at.
    pub(crate) positions: BTreeMap<&'static str, String>,
    /// How many frames it has sent.
    pub(crate) frames: u64,
}

/// Every open connection of a gateway that lives, by its name.
#[derive(Debug, Default)]
pub(crate) struct Model(Mutex<BTreeMap<String, Open>>);

impl Model {
    pub(crate) fn open_one(&self, connection: &str, open: Open) {
        self.0.lock().unwrap().insert(connection.to_owned(), open);
    }

    /// Whether it was open.
    pub(crate) fn close(&self, connection: &str) -> bool {
        self.0.lock().unwrap().remove(connection).is_some()
    }

    /// It moves by its next frame, whose number is returned.
    pub(crate) fn go(&self, connection: &str, scope: &'static str, topic: Option<&str>) -> Option<u64> {
        let mut open = self.0.lock().unwrap();
        let one = open.get_mut(connection)?;
        one.positions.remove(scope);
        one.positions.extend(topic.map(|topic| (scope, topic.to_owned())));
        one.frames += 1;
        Some(one.frames)
    }

    pub(crate) fn everyone_dies(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The connections of a gateway.
    pub(crate) fn of(&self, lease: &str) -> Vec<(String, Open)> {
        let own = |name: &str| name.split(':').next() == Some(lease);
        let open = self.0.lock().unwrap();
        open.iter().filter(|(name, _)| own(name)).map(|(name, one)| (name.clone(), one.clone())).collect()
    }

    /// The connections by which a member is in a topic.
    pub(crate) fn there(&self, topic: &str, member: &str) -> Vec<String> {
        let open = self.0.lock().unwrap();
        let is_there = |one: &Open| one.member == member && one.topics.contains(&topic);
        open.iter().filter(|(_, one)| is_there(one)).map(|(name, _)| name.clone()).collect()
    }

    pub(crate) fn open(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().keys().cloned().collect()
    }

    /// Connection, topic and member.
    pub(crate) fn entries(&self) -> BTreeSet<Vec<String>> {
        let open = self.0.lock().unwrap();
        let entry = |name: &str, topic: &str, one: &Open| vec![name.into(), topic.into(), one.member.clone()];
        open.iter()
            .flat_map(|(name, one)| one.topics.iter().map(move |topic| entry(name, topic, one)))
            .collect()
    }

    /// Connection, scope, topic and member.
    pub(crate) fn positions(&self) -> BTreeSet<Vec<String>> {
        let mut positions = BTreeSet::new();
        for (name, one) in self.0.lock().unwrap().iter() {
            for (scope, topic) in &one.positions {
                positions.insert(vec![name.clone(), (*scope).into(), topic.clone(), one.member.clone()]);
            }
        }
        positions
    }

    /// By how many connections each member is in each topic, or at it.
    pub(crate) fn counts(&self) -> BTreeMap<(String, String), usize> {
        let mut counts = BTreeMap::new();
        for one in self.0.lock().unwrap().values() {
            let topics = one.topics.iter().copied().chain(one.positions.values().map(String::as_str));
            for topic in topics {
                *counts.entry((topic.to_owned(), one.member.clone())).or_default() += 1;
            }
        }
        counts
    }
}
