//! The life of a connection: opened by its endpoint's owner, fed with frames and events, closed
//! with a code and a reason.

mod allowance;
mod conversation;
mod farewell;
mod frames;
mod info;
mod open;
mod pace;
mod replay;
mod run;

pub(crate) use frames::{not_recovered, reconnect, token_expiring};
pub(crate) use info::{Format, SessionInfo};
pub(crate) use open::Query;
pub(crate) use run::{Arrival, refuse, run};
