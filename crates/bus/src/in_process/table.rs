//! Who listens to what.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use carillon_contract::Pattern;

use super::queue::Queue;

/// Every subscription: those to one subject by that subject, those with a wildcard in a list.
#[derive(Debug, Default)]
pub(super) struct Table {
    exact: HashMap<Arc<str>, Listeners>,
    wildcards: Vec<(Pattern, Listeners)>,
}

/// The subscriptions to one pattern.
#[derive(Debug, Default)]
struct Listeners {
    everyone: Vec<Arc<Queue>>,
    groups: Vec<Group>,
}

/// Subscriptions of which one at a time gets a message, in turn.
#[derive(Debug)]
struct Group {
    name: &'static str,
    members: Vec<Arc<Queue>>,
    next: AtomicUsize,
}

impl Table {
    pub(super) fn insert(&mut self, pattern: &Pattern, group: Option<&'static str>, queue: Arc<Queue>) {
        let listeners = if is_wildcard(pattern) {
            let place = self.wildcards.iter().position(|(known, _)| known == pattern);
            let place = place.unwrap_or_else(|| {
                self.wildcards.push((pattern.clone(), Listeners::default()));
                self.wildcards.len() - 1
            });
            &mut self.wildcards[place].1
        } else {
            self.exact.entry(pattern.as_str().into()).or_default()
        };
        listeners.insert(group, queue);
    }

    pub(super) fn remove(&mut self, pattern: &Pattern, queue: &Arc<Queue>) {
        if is_wildcard(pattern) {
            self.wildcards.retain_mut(|(known, listeners)| known != pattern || !listeners.remove(queue));
        } else if self.exact.get_mut(pattern.as_str()).is_some_and(|listeners| listeners.remove(queue)) {
            self.exact.remove(pattern.as_str());
        }
    }

    /// Calls `deliver` for each queue that gets a message on `subject`, with the subject's text,
    /// which all of them share.
    pub(super) fn route(&self, subject: &str, mut deliver: impl FnMut(&Arc<str>, &Queue)) {
        let mut shared = None;
        if let Some((text, listeners)) = self.exact.get_key_value(subject) {
            listeners.route(|queue| deliver(text, queue));
            shared = Some(Arc::clone(text));
        }
        for (_, listeners) in self.wildcards.iter().filter(|(pattern, _)| pattern.matches(subject)) {
            let text = shared.get_or_insert_with(|| subject.into());
            listeners.route(|queue| deliver(text, queue));
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcards.is_empty()
    }
}

impl Listeners {
    fn insert(&mut self, group: Option<&'static str>, queue: Arc<Queue>) {
        let Some(name) = group else { return self.everyone.push(queue) };
        match self.groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.members.push(queue),
            None => self.groups.push(Group { name, members: vec![queue], next: AtomicUsize::new(0) }),
        }
    }

    /// Removes a queue, and says whether it was the last one.
    fn remove(&mut self, queue: &Arc<Queue>) -> bool {
        self.everyone.retain(|known| !Arc::ptr_eq(known, queue));
        self.groups.retain_mut(|group| {
            group.members.retain(|known| !Arc::ptr_eq(known, queue));
            !group.members.is_empty()
        });
        self.everyone.is_empty() && self.groups.is_empty()
    }

    fn route(&self, mut deliver: impl FnMut(&Queue)) {
        self.everyone.iter().for_each(|queue| deliver(queue));
        for group in &self.groups {
            let turn = group.next.fetch_add(1, Ordering::Relaxed) % group.members.len();
            deliver(&group.members[turn]);
        }
    }
}

fn is_wildcard(pattern: &Pattern) -> bool {
    pattern.as_str().bytes().any(|byte| byte == b'*' || byte == b'>')
}
