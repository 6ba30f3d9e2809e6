//! A WebSocket client for tests.

mod handshake;
mod position;
mod socket;

pub use handshake::{Handshake, Refusal};
pub use position::Position;
pub use socket::Socket;
