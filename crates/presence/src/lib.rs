//! Who is in a topic: counted by connection, kept by leases, and announced once.
//!
//! A topic is any text, usually a channel's name. A member is in it for as long as one of its
//! connections is: the first that comes and the last that goes are transitions, which the service
//! turns into events ([`Announcer`]) in the very transaction that makes them. Every connection
//! belongs to the lease of its gateway, which renews it; a lapsed lease takes its connections with it.
//! Any replica may be asked anything, in any order and more than once: a connection that has left is
//! remembered for a while, and does not come back.
//!
//! Locks are taken in one order, so that replicas don't meet head-on: leases, connections, topics,
//! channels of the log, each sorted. Replicas' clocks may differ by a few seconds.

mod announcer;
mod arrivals;
mod clock;
mod connections;
mod entries;
mod leases;
mod members;
mod metrics;
mod options;
mod presence;
mod read;
mod sweep;
mod topics;
mod transitions;

use std::time::Duration;

pub use announcer::{Announcer, Transition};
pub use clock::Clock;
pub use options::PresenceOptions;
pub use presence::Presence;
pub use read::{members, present, present_in, size, sizes, topics_with_prefix};

/// The tables, for a migration of the service's own.
pub const SCHEMA: &str = include_str!("../schema.sql");

/// For how long a gateway's connections count without its renewing.
pub const LEASE: Duration = Duration::from_secs(15);

/// For how long a client that may return counts after its connection has ended.
pub const GRACE: Duration = Duration::from_secs(5);

/// A connection that is in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub topic: String,
    /// Who it is, unique in the topic: two connections of one member count as one.
    pub member: String,
    /// The connection, unique for ever.
    pub connection: String,
    /// Its gateway's lease: `Session.gateway`.
    pub lease: String,
    /// What the service wants to know about the member, opaque; the latest counts.
    pub detail: String,
}

/// Who is in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub member: String,
    /// What its latest connection said about it.
    pub detail: String,
    /// When it came, in microseconds since 1970.
    pub since: i64,
}
