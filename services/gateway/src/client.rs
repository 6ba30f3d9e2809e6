//! Where a client is: the peer of its socket, or what a trusted proxy in front of us says.

mod forwarded;
mod proxies;
mod proxy_protocol;

pub use forwarded::ForwardedHeader;
pub(crate) use proxies::{Proxies, network};
pub(crate) use proxy_protocol::peer_of;
