//! What is measured: the floor, a gateway, and its peers, each in a process of its own.

mod channel_log;
pub(crate) mod floor;
mod gateway;
mod peer;
mod process;
mod publisher;
mod seat;
mod server;
mod stand_in;

pub(crate) use channel_log::EPOCH;
pub(crate) use peer::INSTALL as INSTALL_PEERS;
pub(crate) use publisher::{OverBus, Publisher};
pub(crate) use seat::Seat;
pub(crate) use server::{Kind, Server};
