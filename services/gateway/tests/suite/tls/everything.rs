//! Everything that this suite shows of a gateway, shown of one that speaks TLS: its clients' sockets lead to a tunnel
//! beside it, which speaks it for them.

use std::{env, net::SocketAddr, process::Command, sync::Arc};

use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::spawn,
};
use tokio_rustls::rustls::ClientConfig;

use super::{Files, shaken};

/// Set, all gateways of the suite speak TLS.
const VARIABLE: &str = "CARILLON_SUITE_OVER_TLS";

/// What can't be shown through a tunnel, because it is about the socket itself, or what comes before TLS; and what
/// starts with options that hold here anyway.
const SKIPPED: [&str; 3] = ["s4_09_", "a_trusted_balancer_begins_with_the_proxy_protocol", "client_address"];

#[test]
fn s4_09_everything_holds_over_tls() {
    if env::var_os(VARIABLE).is_some() {
        return;
    }
    let mut suite = Command::new(env::current_exe().expect("this program"));
    suite.env(VARIABLE, "1").args(SKIPPED.iter().flat_map(|name| ["--skip", name]));
    let output = suite.output().expect("the suite");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("test result: ok. 1"), "{said}\n{complained}");
}

/// The files of a gateway of this suite, if all of them speak TLS.
pub(crate) fn files() -> Option<Files> {
    env::var_os(VARIABLE).map(|_| Files::new())
}

/// Where clients without TLS reach a gateway that speaks it.
pub(crate) async fn tunnel(files: &Files, gateway: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let trust = files.authority.trust().expect("a client's configuration");
    spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            spawn(pass(client, gateway, trust.clone()));
        }
    });
    address
}

async fn pass(mut client: TcpStream, gateway: SocketAddr, trust: Arc<ClientConfig>) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut stream = shaken(trust, TcpStream::connect(gateway).await?).await?;
    copy_bidirectional(&mut client, &mut stream).await?;
    client.shutdown().await
}
