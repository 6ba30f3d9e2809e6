//! Where a client is taken to be, as services and logs are told: through proxies, and past them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    bed::{Bed, with_gateway},
    client::within,
};

/// The address that the owner of a route is told, or nothing if the connection is closed.
async fn told(bed: &Bed, before: &str, headers: &str) -> String {
    let mut socket = TcpStream::connect(bed.address).await.expect("a connection");
    let request = format!(
        "{before}POST /api/notifications/send/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         {headers}Content-Length: 2\r\n\r\n{{}}"
    );
    socket.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    // What is sent to a socket that was closed is answered with a reset.
    let _ = within(socket.read_to_string(&mut answer)).await;
    answer.rsplit_once("address=").map_or_else(String::new, |(_, address)| address.to_owned())
}

#[test]
fn a_strangers_headers_say_nothing() {
    with_gateway(&["--trusted-proxies", "10.0.0.0/8"], async |bed| {
        let forged =
            "X-Forwarded-For: 198.51.100.1\r\nForwarded: for=198.51.100.1\r\nX-Real-IP: 198.51.100.1\r\n";
        assert_eq!(told(bed, "", forged).await, "127.0.0.1");
        assert_eq!(told(bed, "PROXY TCP4 198.51.100.1 10.0.0.1 4711 80\r\n", "").await, "");
    });
}

#[test]
fn a_trusted_proxys_header_says_who_is_behind_it() {
    with_gateway(&["--trusted-proxies", "127.0.0.1,10.0.0.0/8"], async |bed| {
        let through = "X-Forwarded-For: 6.6.6.6, 198.51.100.1, 10.1.2.3\r\n";
        assert_eq!(told(bed, "", through).await, "198.51.100.1");
        assert_eq!(told(bed, "", "").await, "127.0.0.1");
        assert_eq!(told(bed, "", "Forwarded: for=198.51.100.1\r\n").await, "127.0.0.1");
    });
    let options = ["--trusted-proxies", "127.0.0.1", "--forwarded-header", "forwarded"];
    with_gateway(&options, async |bed| {
        assert_eq!(told(bed, "", "Forwarded: for=\"[2001:db8::7]:80\"\r\n").await, "2001:db8::7");
        assert_eq!(told(bed, "", "X-Forwarded-For: 198.51.100.1\r\n").await, "127.0.0.1");
    });
}

#[test]
fn a_trusted_balancer_begins_with_the_proxy_protocol() {
    with_gateway(&["--trusted-proxies", "127.0.0.1", "--proxy-protocol"], async |bed| {
        let behind = "PROXY TCP4 198.51.100.1 127.0.0.1 4711 80\r\n";
        assert_eq!(told(bed, behind, "").await, "198.51.100.1");
        assert_eq!(
            told(bed, behind, "X-Forwarded-For: 6.6.6.6\r\n").await,
            "198.51.100.1",
            "its client's own"
        );
        let nearer = "PROXY TCP4 127.0.0.1 127.0.0.1 4711 80\r\n";
        assert_eq!(
            told(bed, nearer, "X-Forwarded-For: 198.51.100.1\r\n").await,
            "198.51.100.1",
            "two proxies"
        );
        assert_eq!(told(bed, "PROXY UNKNOWN\r\n", "").await, "127.0.0.1");
        assert_eq!(told(bed, "", "").await, "", "it has to speak it");
        assert_eq!(told(bed, "PROXY nonsense\r\n", "").await, "");
    });
    // Others are not asked for it.
    with_gateway(&["--trusted-proxies", "10.0.0.1", "--proxy-protocol"], async |bed| {
        assert_eq!(told(bed, "", "").await, "127.0.0.1");
    });
}
