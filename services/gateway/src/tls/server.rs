//! The gateway's side of TLS: its protocols, and the certificate that it shows.

use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_rustls::{
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        sign::SingleCertAndKey,
        version::{TLS12, TLS13},
    },
    server::TlsStream,
};

use super::{Certificate, Metrics};

/// A connection whose handshake is done.
pub(crate) type Stream = TlsStream<TcpStream>;

/// What clients and gateway speak within.
const PROTOCOL: &[u8] = b"http/1.1";

/// Handshakes that may be under way at a time: so many clients that never end theirs hold memory.
const UNFINISHED: usize = 4_096;

/// What handshakes need, on every worker.
pub(crate) struct Server {
    config: RwLock<Arc<ServerConfig>>,
    pub(super) unfinished: Semaphore,
    pub(super) metrics: Metrics,
}

impl Server {
    /// One that shows this certificate, until it is given another.
    ///
    /// # Errors
    /// Keys for tickets that can't be made.
    pub(crate) fn new(certificate: &Certificate, metrics: Metrics) -> anyhow::Result<Self> {
        let config = RwLock::new(config(certificate)?);
        metrics.expiry.set(certificate.valid_until() as f64);
        Ok(Self { config, unfinished: Semaphore::new(UNFINISHED), metrics })
    }

    /// With what the next handshake is made.
    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows another certificate from the next handshake on.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn show(&self, certificate: &Certificate) -> anyhow::Result<()> {
        let config = config(certificate)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        self.metrics.expiry.set(certificate.valid_until() as f64);
        Ok(())
    }
}

fn config(certificate: &Certificate) -> anyhow::Result<Arc<ServerConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .context("TLS 1.2 and 1.3")?
        .with_no_client_auth()
        // Whatever the name that a client asks for.
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certificate.key.clone())));
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // Who comes back need not be remembered: its ticket says what there is to know. Tickets of another certificate's
    // time are none: who has one is to see this certificate.
    config.ticketer = aws_lc_rs::Ticketer::new().context("keys for tickets")?;
    Ok(Arc::new(config))
}
