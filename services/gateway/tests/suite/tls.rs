//! TLS, where the gateway speaks it itself.

mod everything;
mod handshakes;
mod reload;
mod sessions;
mod slow;

use std::{path::PathBuf, sync::Arc};

use carillon_testkit::{Authority, Issued};
use tempfile::TempDir;
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, pki_types::ServerName},
};
use tokio_tungstenite::client_async;

pub(crate) use everything::{files, tunnel};

use crate::{
    bed::{Bed, with_gateway},
    client::{Client, within},
};

type Stream = TlsStream<TcpStream>;

/// A certificate in files, and whom to trust.
pub(crate) struct Files {
    authority: Authority,
    directory: TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

/// A gateway that speaks TLS.
struct Secure<'a> {
    bed: &'a Bed,
    files: &'a Files,
    trust: Arc<ClientConfig>,
}

impl Files {
    fn new() -> Self {
        let authority = Authority::new().expect("an authority");
        let directory = TempDir::new().expect("a directory");
        let [certificate, key] = issue(&authority, 90).write(directory.path()).expect("files");
        Self { authority, directory, certificate, key }
    }

    /// As options of a gateway.
    pub(crate) fn options(&self) -> [&str; 4] {
        let text = |path: &'_ PathBuf| path.to_str().expect("text").to_owned().leak() as &str;
        ["--tls-certificate", text(&self.certificate), "--tls-key", text(&self.key)]
    }
}

fn issue(authority: &Authority, days: u64) -> Issued {
    authority.issue("gateway.test", days).expect("a certificate")
}

/// Runs a test with a gateway that speaks TLS, and has these options besides its usual ones.
fn with_tls(options: &[&str], test: impl AsyncFnOnce(&Secure<'_>)) {
    let files = Files::new();
    let options: Vec<&str> = options.iter().copied().chain(files.options()).collect();
    with_gateway(&options, async |bed| {
        let trust = files.authority.trust().expect("a client's configuration");
        test(&Secure { bed, files: &files, trust }).await;
    });
}

impl Secure<'_> {
    /// A connection that speaks TLS.
    async fn stream(&self) -> Stream {
        let tcp = within(TcpStream::connect(self.bed.address)).await.expect("a connection");
        within(shaken(self.trust.clone(), tcp)).await.expect("a TLS handshake")
    }

    async fn connect(&self, path: &str) -> Client<Stream> {
        self.upgraded(self.stream().await, path).await
    }

    async fn upgraded(&self, stream: Stream, path: &str) -> Client<Stream> {
        let handshake = client_async(format!("wss://{}{path}", self.bed.address), stream);
        Client(within(handshake).await.expect("a handshake").0)
    }

    async fn greeted(&self, path: &str) -> Client<Stream> {
        let mut client = self.connect(path).await;
        assert_eq!(client.json().await["type"], "greeting");
        client
    }

    async fn listener(&self) -> Client<Stream> {
        self.greeted("/ws/notifications/").await
    }

    /// A client whose socket takes little at a time.
    async fn narrow(&self, path: &str) -> Client<Stream> {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("a small buffer");
        let tcp = within(socket.connect(self.bed.address)).await.expect("a connection");
        let stream = within(shaken(self.trust.clone(), tcp)).await.expect("a TLS handshake");
        self.upgraded(stream, path).await
    }

    /// How many handshakes have come to this.
    fn handshakes(&self, outcome: &str) -> f64 {
        self.bed.metric("carillon_gateway_tls_handshakes_total", outcome)
    }
}

async fn shaken(client: Arc<ClientConfig>, tcp: TcpStream) -> std::io::Result<Stream> {
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("gateway.test").expect("a name");
    TlsConnector::from(client).connect(name, tcp).await
}
