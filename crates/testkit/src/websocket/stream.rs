//! What a WebSocket is spoken over.

use std::{fmt::Debug, sync::Arc};

use anyhow::Context;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

/// TCP, or TLS over it.
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin + Send + Sync + Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + Debug> Transport for T {}

pub(crate) type Stream = Box<dyn Transport>;

/// TLS over a connection to this host, if there is somebody to trust.
pub(crate) async fn secured(
    tcp: TcpStream,
    host: &str,
    trust: Option<&Arc<ClientConfig>>,
) -> anyhow::Result<Stream> {
    let Some(trust) = trust else { return Ok(Box::new(tcp)) };
    let name = ServerName::try_from(host.to_owned()).context("a host's name")?;
    let stream = TlsConnector::from(Arc::clone(trust)).connect(name, tcp).await;
    Ok(Box::new(stream.context("a TLS handshake")?))
}
