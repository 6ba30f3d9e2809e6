//! The WebSocket protocol (RFC 6455, and RFC 7692: compression) on a byte stream: frames out, encoded once and shared, and
//! frames in, checked. Nothing here knows what a frame means.

mod close;
mod decoder;
mod deflate;
mod extensions;
mod frame;
mod header;
mod inflate;
mod message;

pub(crate) use close::{Cause, CloseReason};
pub(crate) use decoder::{Decoder, Incoming};
pub(crate) use deflate::Deflater;
pub(crate) use extensions::{Window, negotiate};
pub(crate) use frame::{
    Frame, binary, close, enveloped, event, greeting, greeting_members, joined, ping, place_members, pong,
    spliced, text,
};
pub(crate) use inflate::Inflater;
