//! The life of a connection: opened by its endpoint's owner, fed with frames and events, closed
//! with a code and a reason.

mod conversation;
mod frames;
mod info;
mod open;
mod replay;
mod run;

pub(crate) use frames::{not_recovered, reconnect, token_expiring};
pub(crate) use info::SessionInfo;
pub(crate) use open::Query;
pub(crate) use run::{Arrival, refuse, run};
