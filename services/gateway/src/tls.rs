//! TLS, where the gateway speaks it itself (S4-09): with a certificate that is read again whenever its files change.

mod certificate;
mod files;
mod handshake;
mod metrics;
mod plain_http;
mod reload;
mod server;
mod session;
mod validity;

pub use certificate::Certificate;
pub(crate) use files::Files;
pub(crate) use metrics::Metrics;
pub(crate) use reload::Reload;
pub(crate) use server::{Server, Stream};
pub(crate) use session::Session;
pub use validity::valid_until;
