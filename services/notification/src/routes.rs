//! The HTTP routes of inboxes and organisation events.

mod inbox;
mod org_events;

pub(crate) use inbox::{delete, list, read, read_all};
pub(crate) use org_events::{Events, publish, publish_event};
