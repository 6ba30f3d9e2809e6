//! A WebSocket client for tests.

mod handshake;
mod position;
mod socket;
mod stream;

pub use handshake::{Handshake, Refusal};
pub use position::Position;
pub use socket::Socket;
pub(crate) use stream::Stream;
