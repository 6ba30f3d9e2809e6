//! What a service says when a member comes or goes.

use std::future::Future;

use carillon_store::{NewEvent, StoreError, Transaction};

/// A member has come to a topic or left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Where.
    pub topic: String,
    /// Who.
    pub member: String,
    /// What its latest connection said about it.
    pub detail: String,
    /// The connection with which it came, or the last with which it was there.
    pub connection: String,
    /// It has come; otherwise it has left.
    pub joined: bool,
    /// How many members the topic has now.
    pub size: i64,
    /// The topic's version: it grows with each transition, and none has another's.
    pub version: i64,
}

impl Transition {
    /// The cause of what it is announced by, unique in any channel.
    pub fn cause(&self) -> String {
        format!("presence:{}:{}", self.topic, self.version)
    }
}

/// Says what is announced.
pub trait Announcer: Send + Sync + 'static {
    /// The events by which transitions are announced, in that order. It is called within the
    /// transaction that makes them, and again for a new attempt; it may read there, but must not
    /// lock anything, for what it would lock comes before presence in the order of locks.
    fn announce(
        &self,
        tx: &mut Transaction,
        transitions: &[Transition],
    ) -> impl Future<Output = Result<Vec<NewEvent>, StoreError>> + Send;
}
