//! A user's inbox: what the user was sent, and what of it is unread.

mod broadcast;
mod change;
mod page;
mod reference;
mod state;

pub(crate) use broadcast::{BroadcastRow, catch_up};
pub(crate) use change::{Change, Changed, user_channel};
pub(crate) use page::Status;
pub(crate) use reference::{Reference, everyone_id};
pub(crate) use state::{Counts, State, UNUSED};

use carillon_store::{Database, Log};

/// Every inbox of this deployment.
#[derive(Clone)]
pub(crate) struct Inboxes {
    pub(crate) database: Database,
    pub(crate) log: Log,
    /// Notifications to everyone that are older, in microseconds, are not copied any more.
    pub(crate) keep: i64,
}
