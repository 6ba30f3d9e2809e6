//! The handshake of TLS, and what comes in its place.

use std::{io, sync::Arc};

use carillon_contract::Channel;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    version::{TLS12, TLS13},
};

use super::{Secure, shaken, with_tls};
use crate::{bed::until, client::within};

/// A client that speaks this version only, and offers these protocols.
fn client(
    secure: &Secure<'_>,
    version: &'static SupportedProtocolVersion,
    protocols: &[&str],
) -> ClientConfig {
    let mut authorities = RootCertStore::empty();
    let pem = secure.files.authority.pem();
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
    authorities.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("an authority");
    let mut client = ClientConfig::builder_with_protocol_versions(&[version])
        .with_root_certificates(authorities)
        .with_no_client_auth();
    client.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    client
}

/// What a handshake with that client has come to.
async fn agreed(secure: &Secure<'_>, client: ClientConfig) -> io::Result<(ProtocolVersion, Option<Vec<u8>>)> {
    let tcp = TcpStream::connect(secure.bed.address).await?;
    let stream = within(shaken(Arc::new(client), tcp)).await?;
    let (_, connection) = stream.get_ref();
    let version = connection.protocol_version().expect("a version");
    Ok((version, connection.alpn_protocol().map(<[u8]>::to_vec)))
}

#[test]
fn s4_09_tls_1_2_and_1_3_for_http_1_1() {
    with_tls(&[], async |secure| {
        let http = Some(b"http/1.1".to_vec());
        for (version, name) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
            let both = agreed(secure, client(secure, version, &["h2", "http/1.1"])).await;
            assert_eq!(both.expect("a handshake"), (name, http.clone()));
            let none = agreed(secure, client(secure, version, &[])).await;
            assert_eq!(none.expect("a handshake"), (name, None));
        }
        until("they are counted", || secure.handshakes("completed") == 4.0).await;
        agreed(secure, client(secure, &TLS13, &["h2"])).await.expect_err("HTTP/2 only");
        until("it is counted", || secure.handshakes("failed") == 1.0).await;
    });
}

/// All that it says before it closes.
async fn said(secure: &Secure<'_>, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(secure.bed.address).await.expect("a connection");
    socket.write_all(bytes).await.expect("sent");
    let mut answer = Vec::new();
    // What was not read is answered with a reset.
    let _ = within(socket.read_to_end(&mut answer)).await;
    answer
}

#[test]
fn s4_09_what_is_no_tls_is_refused_and_disturbs_nobody() {
    with_tls(&["--request-timeout-seconds", "1"], async |secure| {
        let mut listener = secure.listener().await;
        let http = b"GET /ws/notifications/ HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let answer = String::from_utf8(said(secure, http).await).expect("text");
        assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("wss://"), "{answer}");
        until("it is counted", || secure.handshakes("plain_http") == 1.0).await;
        // A record that never was one, one of another protocol, and one that is too long.
        for garbage in
            [&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0xff][..], b"\0\0\0\x2e\xfe", &[0x16, 3, 1, 0xff, 0xff, 0]]
        {
            said(secure, garbage).await;
        }
        until("they are counted", || secure.handshakes("failed") == 3.0).await;
        drop(TcpStream::connect(secure.bed.address).await.expect("a connection"));
        until("it is counted", || secure.handshakes("closed") == 1.0).await;
        // Nothing at all, and the beginning of a hello: for as long as a handshake may take.
        assert_eq!(said(secure, b"").await, b"");
        assert_eq!(said(secure, &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc]).await, b"");
        until("they are counted", || secure.handshakes("timeout") == 2.0).await;
        until("none is left", || secure.bed.metric("carillon_gateway_tls_handshakes_open", "") == 0.0).await;
        secure.bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!(listener.offset().await, 1);
        assert_eq!(secure.handshakes("completed"), 1.0);
    });
}

#[test]
fn s4_09_a_balancers_header_comes_before_the_handshake() {
    with_tls(&["--trusted-proxies", "127.0.0.1", "--proxy-protocol"], async |secure| {
        let mut tcp = TcpStream::connect(secure.bed.address).await.expect("a connection");
        tcp.write_all(b"PROXY TCP4 198.51.100.1 127.0.0.1 4711 443\r\n").await.expect("sent");
        let mut stream = within(shaken(secure.trust.clone(), tcp)).await.expect("a handshake");
        let request = "POST /api/notifications/send/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                       Content-Length: 2\r\n\r\n{}";
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        within(stream.read_to_string(&mut answer)).await.expect("an answer, and a proper end");
        assert!(answer.ends_with("address=198.51.100.1"), "{answer}");
    });
}

#[test]
fn s4_09_tls_beside_a_listener_without() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let beside = listener.local_addr().expect("an address");
    drop(listener);
    with_tls(&["--tls-listen", &beside.to_string()], async |secure| {
        let mut plain = secure.bed.listener().await;
        let tcp = within(TcpStream::connect(beside)).await.expect("a connection");
        let stream = within(shaken(secure.trust.clone(), tcp)).await.expect("a handshake");
        let mut over_tls = secure.upgraded(stream, "/ws/notifications/").await;
        assert_eq!(over_tls.json().await["type"], "greeting");
        secure.bed.services.emit(&Channel::everyone(), "{}").await;
        assert_eq!((plain.offset().await, over_tls.offset().await), (1, 1));
        assert_eq!(secure.bed.metric("carillon_gateway_connections", "notifications"), 2.0);
    });
}
