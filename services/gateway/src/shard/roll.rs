//! The roll of a worker's sessions, for an owner that may have lost count of them.

use carillon_contract::{ServiceName, messages::Session};

use super::{
    connection::{Acquaintance, Connection},
    registry::Shard,
};

/// Some of the sessions that an owner counts in, and where the next ones follow, if any do.
#[derive(Debug, Default)]
pub(crate) struct Roll {
    pub(crate) sessions: Vec<Session>,
    pub(crate) next: Option<usize>,
}

impl Shard {
    /// Up to `count` sessions from place `from` on.
    pub(super) fn call_roll(&self, owner: ServiceName, from: usize, count: usize) -> Roll {
        let connections = &self.inner.borrow().connections;
        let mut sessions = Vec::new();
        // One that takes a place behind this meanwhile is opened, and so counted in, as it comes.
        for slot in from..connections.capacity() {
            if sessions.len() == count {
                return Roll { sessions, next: Some(slot) };
            }
            let counted = connections.get(slot).filter(|connection| connection.is_counted_by(owner));
            sessions.extend(counted.map(|connection| connection.info.session()));
        }
        Roll { sessions, next: None }
    }
}

impl Connection {
    /// Whether this owner counts it in. One that is being closed is on its way out.
    fn is_counted_by(&self, owner: ServiceName) -> bool {
        let endpoint = self.info.endpoint;
        let is_there = self.acquaintance == Acquaintance::Accepted && self.closing.is_none();
        endpoint.presence && endpoint.owner == owner && is_there && !self.is_broken
    }
}
