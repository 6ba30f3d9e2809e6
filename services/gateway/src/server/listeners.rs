//! Where clients come in.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use anyhow::Context;
use carillon_instruments::Registry;
use socket2::{Domain, Protocol, Socket, Type};
use tokio_util::sync::CancellationToken;

use crate::{
    args::TlsArgs,
    tls::{self, Certificate, Reload},
};

/// Connections that the kernel may hold for us before we have accepted them.
const BACKLOG: i32 = 4_096;

/// Where clients come in, over TLS or without it.
pub(crate) struct Listeners {
    pub(super) plain: Option<TcpListener>,
    pub(super) tls: Option<(TcpListener, Arc<tls::Server>)>,
}

impl Listeners {
    /// Has this listener speak TLS, or one beside it, if there is a certificate, whose files are looked at from here on.
    ///
    /// # Errors
    /// An address that can't be listened to, or collectors that the registry has already.
    pub(crate) fn open(
        listener: TcpListener,
        args: &TlsArgs,
        loaded: Option<(Reload, Certificate)>,
        registry: &Registry,
        ended: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let metrics = tls::Metrics::new(registry)?;
        let Some((reload, certificate)) = loaded else {
            return Ok(Self { plain: Some(listener), tls: None });
        };
        let server = Arc::new(tls::Server::new(&certificate, metrics)?);
        tokio::spawn(reload.run(server.clone(), ended.clone()));
        let Some(address) = args.tls_listen else {
            return Ok(Self { plain: None, tls: Some((listener, server)) });
        };
        let beside = listen_at(address, "--tls-listen")?;
        tracing::info!(address = %beside.local_addr()?, "TLS is spoken beside");
        Ok(Self { plain: Some(listener), tls: Some((beside, server)) })
    }
}

/// A listener with a backlog that a reconnecting crowd fits into.
///
/// # Errors
/// An address that can't be listened to.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    listen_at(address, "--listen")
}

fn listen_at(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into()).with_context(|| format!("listening on {address} ({option})"))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}
