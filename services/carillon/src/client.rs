//! A client of Carillon, as every command is one: HTTP requests, WebSockets, and `carillon.v1`.

mod address;
mod api;
mod backoff;
mod credentials;
mod handshake;
mod place;
mod secret_text;
mod socket;
mod stream;
mod target;

pub(crate) use address::Address;
pub(crate) use api::{Api, ApiError};
pub(crate) use backoff::Backoff;
pub(crate) use credentials::{CredentialArgs, log_in};
pub(crate) use handshake::{Handshake, HandshakeError};
pub(crate) use place::Place;
pub(crate) use secret_text::SecretText;
pub(crate) use socket::{Closed, Incoming, Socket, SocketError};
pub(crate) use stream::{Stream, StreamError, connect, tls};
pub(crate) use target::{Target, TargetArgs};
