//! A client's way to a server: from an address of its choice, and through TLS that it knows nothing of.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, pki_types::ServerName},
};

use crate::{Gateway, process::Supervisor};

/// A listener on the loopback interface, whose connections are passed on as long as it lives.
#[derive(Debug)]
pub struct Tunnel {
    end: Gateway,
    passing: JoinHandle<()>,
}

impl Tunnel {
    /// One that leads from `address` to a port of the loopback interface, through TLS if there is a way to verify it.
    pub(crate) async fn open(
        address: Ipv4Addr,
        port: u16,
        tls: Option<Arc<ClientConfig>>,
        supervisor: &Supervisor,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("a tunnel")?;
        let end = Gateway::new("tunnel", listener.local_addr()?.port(), supervisor)?;
        let passing = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A connection that fails looks to its client as if the server had ended it.
                tokio::spawn(pass(client, address, port, tls.clone()));
            }
        });
        Ok(Self { end, passing })
    }

    /// What is at the other end, as if it were a gateway that speaks no TLS.
    pub fn end(&self) -> &Gateway {
        &self.end
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

async fn pass(
    mut client: TcpStream,
    address: Ipv4Addr,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
) -> anyhow::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((address, 0)))?;
    let mut server = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    if let Some(tls) = tls {
        let name = ServerName::try_from("localhost")?;
        let mut server = TlsConnector::from(tls).connect(name, server).await?;
        copy_bidirectional(&mut client, &mut server).await?;
    } else {
        copy_bidirectional(&mut client, &mut server).await?;
    }
    Ok(())
}
