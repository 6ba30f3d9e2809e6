//! The hub: one task per gateway that subscribes to the channels somebody listens to, puts their
//! events in order, fills gaps from the owners' logs, and passes each event on once to every
//! worker that has a listener.

mod channel;
mod fan_outs;
mod handle;
mod heads;
mod sequence;
mod task;

pub(crate) use handle::{Delivery, Hub, ListenerId};
pub(crate) use task::{Settings, start};
