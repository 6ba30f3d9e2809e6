//! The life of a connection: opened by its endpoint's owner, fed with frames and events, closed
//! with a code and a reason.

mod allowance;
mod channels;
mod conversation;
mod farewell;
mod frames;
mod info;
mod kept;
mod meter;
mod open;
mod pace;
mod refresh;
mod replay;
mod run;
mod stream;
mod talk;

pub(crate) use frames::{dropped, not_recovered, token_expiring};
pub(crate) use info::{Format, Framing, SessionInfo};
pub(crate) use kept::KeptIdentity;
pub(crate) use open::{Place, Query};
pub(crate) use run::{Arrival, refuse, run};
pub(crate) use stream::stream;
