//! Publish, subscribe, request and serve, over NATS or inside one process.
//!
//! A service is given a [`Bus`] and cannot tell which of the two it is: one contract suite
//! (`tests/contract.rs`) runs against both. No other crate names async-nats.
//!
//! What the bus promises: a subscription hears everything that is published after `subscribe`
//! returned, in each publisher's order, until a [`Signal`] says otherwise. What it doesn't: that
//! nothing is ever lost. Whoever needs that compares offsets with the log.

mod bus;
mod error;
mod in_process;
mod limits;
mod message;
mod metrics;
mod nats;
mod refusal;
mod request;
mod server;
mod signal;
mod span;
mod state;
mod subscription;

pub use bus::Bus;
pub use carillon_trace::TraceContext;
pub use error::{ConnectError, PublishError, RequestError, SubscribeError};
pub use limits::Limits;
pub use message::Message;
pub use nats::{ClientCertificate, Inspection, NatsOptions};
pub use refusal::{Refusal, RefusalKind};
pub use request::Timing;
pub use server::{Handler, Server};
pub use signal::Signal;
pub use state::BusState;
pub use subscription::Subscription;
