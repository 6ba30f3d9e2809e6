//! The load client: many connections on one thread, whose every message is checked.

mod audience;
mod connection;
mod framing;
mod guests;
mod intake;
mod message;
mod sockets;
pub(crate) mod websocket;
mod window;

pub(crate) use audience::Audience;
pub(crate) use connection::Ears;
pub(crate) use framing::Framing;
pub(crate) use guests::Guests;
pub(crate) use intake::Tally;
pub(crate) use message::{Clock, Stamp, json, number, spliced, stamp};
pub(crate) use sockets::Sockets;
pub(crate) use window::Window;
