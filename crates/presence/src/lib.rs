//! Who is in a topic: counted by connection, kept by leases, and announced once.
//!
//! A topic is any text, usually a channel's name. A member is in it for as long as one of its
//! connections is: the first that comes and the last that goes are transitions, which the service
//! turns into events ([`Announcer`]) in the very transaction that makes them. Every connection
//! belongs to the lease of its gateway, which renews it; a lapsed lease takes its connections with it.
//! Any replica may be asked anything, in any order and more than once: a connection that has left is
//! remembered for a while, and does not come back.
//!
//! A connection that is in a topic can also be *at* another one, of which that is the scope
//! ([`Position`]): at one ticket of a project, say. It is there for as long as it is in the scope, and
//! until it says otherwise. A topic is either one to enter or one of a scope to be at, never both.
//!
//! Locks are taken in one order, so that replicas don't meet head-on: leases, connections, topics that
//! are entered, topics to be at, channels of the log, each sorted. Replicas' clocks may differ by a few
//! seconds.

mod announcer;
mod arrivals;
mod clock;
mod connections;
mod cursor;
mod entries;
mod keep;
mod leases;
mod members;
mod metrics;
mod options;
mod positions;
mod presence;
mod read;
mod sweep;
mod tidy;
mod topics;
mod transitions;
pub mod typing;

use std::time::Duration;

pub use announcer::{Announcer, Transition};
pub use clock::Clock;
pub use cursor::{Cursor, CursorError};
pub use options::PresenceOptions;
pub use presence::Presence;
pub use read::{members, members_after, positions, present, present_in, size, sizes, topics_with_prefix};

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

/// Where in a scope a connection is from now on: it leaves whatever topic of the scope it was at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The connection, which is in the scope, or will be again when its gateway finds its lease lapsed.
    pub connection: String,
    /// A topic that it has entered.
    pub scope: String,
    /// The topic that it is at; `None`: at none.
    pub topic: Option<String>,
    /// Who it is, as in the scope.
    pub member: String,
    /// What the service wants to know about the member, opaque; the latest counts.
    pub detail: String,
    /// The number of the frame that says so among those of its connection, from 1.
    pub number: u64,
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
