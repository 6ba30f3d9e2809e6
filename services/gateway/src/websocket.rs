//! The WebSocket protocol (RFC 6455) on a byte stream: frames out, encoded once and shared, and
//! frames in, checked. Nothing here knows what a frame means.

mod close;
mod decoder;
mod frame;
mod header;
mod message;

pub(crate) use close::{Cause, CloseReason};
pub(crate) use decoder::{Decoder, Incoming};
pub(crate) use frame::{Frame, binary, close, enveloped, event, greeting, joined, ping, pong, text};
