//! What has happened in channels, for clients that come back: from memory, or else from the owners' logs.
//! A page that many wait for is asked for once.

mod memory;
mod recent;
mod requests;
mod task;

pub(crate) use memory::Memory;
pub(crate) use requests::Missing;
pub(crate) use task::{History, start};
