//! A TCP connection, with TLS where the address says so.

use std::{
    io,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll},
};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{self, ClientConfig, crypto::aws_lc_rs, pki_types::ServerName},
};

use super::Address;

/// Bytes on their way.
#[derive(Debug)]
pub(crate) enum Stream {
    /// As they are.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StreamError {
    /// Nobody listens there, or the way is barred.
    #[error("can't connect to {0}: {1}")]
    Unreachable(String, #[source] io::Error),
    /// No agreement on encryption.
    #[error("TLS with {0}: {1}")]
    Tls(String, #[source] io::Error),
    /// This machine can't verify certificates.
    #[error("this machine's certificates: {0}")]
    Verifier(#[from] rustls::Error),
}

/// Connects.
///
/// # Errors
/// See [`StreamError`].
pub(crate) async fn connect(address: &Address) -> Result<Stream, StreamError> {
    let place = format!("{}:{}", address.host(), address.port());
    let tcp = TcpStream::connect((address.host(), address.port()))
        .await
        .map_err(|error| StreamError::Unreachable(place.clone(), error))?;
    tcp.set_nodelay(true).map_err(|error| StreamError::Unreachable(place, error))?;
    Ok(if address.is_secure() {
        Stream::Tls(Box::new(tls(address.host(), tcp).await?))
    } else {
        Stream::Plain(tcp)
    })
}

/// Agrees on TLS, with a certificate that this machine trusts.
///
/// # Errors
/// [`StreamError::Tls`], which says what is wrong with the certificate.
pub(crate) async fn tls(host: &str, tcp: TcpStream) -> Result<TlsStream<TcpStream>, StreamError> {
    let refused = |error: io::Error| StreamError::Tls(host.to_owned(), error);
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| refused(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    TlsConnector::from(config()?).connect(name, tcp).await.map_err(refused)
}

/// Made once: reading a machine's certificates takes a while.
fn config() -> Result<Arc<ClientConfig>, rustls::Error> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(CONFIG.get_or_init(|| Arc::new(config)).clone())
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
