//! Requests that are no handshakes, or that somebody means ill with.

use std::{
    io::Read,
    net::{Shutdown, SocketAddr},
};

use anyhow::ensure;

use super::{Attack, Random, connect, outlive, send};
use crate::stage::TEXTS;

pub(super) const ATTACKS: [Attack; 14] = [
    Attack { name: "bytes at random", run: bytes },
    Attack { name: "a request with bytes that are wrong", run: mutated },
    Attack { name: "half a request, then the end", run: half },
    Attack { name: "another version", run: version },
    Attack { name: "a wrong key", run: key },
    Attack { name: "an oversized head", run: oversized },
    Attack { name: "many headers", run: many },
    Attack { name: "one byte at a time", run: dribbled },
    Attack { name: "another method", run: method },
    Attack { name: "another path", run: path },
    Attack { name: "extensions that are none", run: extensions },
    Attack { name: "a body beside the upgrade", run: body },
    Attack { name: "a token that is none", run: token },
    Attack { name: "requests behind the handshake", run: behind },
];

const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";

/// A right request, with these headers besides.
pub(super) fn request(address: SocketAddr, headers: &str) -> String {
    with(address, &format!("GET {TEXTS}"), &format!("{KEY}{VERSION}{headers}"))
}

fn with(address: SocketAddr, start: &str, headers: &str) -> String {
    format!(
        "{start} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}\r\n"
    )
}

/// Sends a request, and sees the end of the connection.
fn ended(address: SocketAddr, request: &[u8]) -> anyhow::Result<()> {
    let mut stream = connect(address)?;
    send(&mut stream, request);
    // Whatever else the gateway waits for does not come.
    let _ = stream.shutdown(Shutdown::Write);
    outlive(stream)
}

/// Sends a request that is answered with this status, and sees the end of the connection.
fn answered(address: SocketAddr, request: &str, status: &str) -> anyhow::Result<()> {
    let mut stream = connect(address)?;
    send(&mut stream, request.as_bytes());
    let mut answer = [0; 12];
    stream.set_read_timeout(Some(super::PATIENCE))?;
    stream.read_exact(&mut answer)?;
    ensure!(answer.ends_with(status.as_bytes()), "{}", String::from_utf8_lossy(&answer));
    outlive(stream)
}

fn bytes(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    ended(address, &random.bytes(4_000))
}

fn mutated(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let mut request = request(address, "").into_bytes();
    for _ in 0..=random.below(6) {
        let at = random.below(request.len());
        request[at] = random.byte();
    }
    ended(address, &request)
}

fn half(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let request = request(address, "");
    ended(address, &request.as_bytes()[..random.below(request.len() - 1)])
}

fn version(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let version = random.pick(&["7", "8", "12", "14", "-13", "13, 8", "x", ""]);
    let headers = format!("{KEY}Sec-WebSocket-Version: {version}\r\n");
    answered(address, &with(address, &format!("GET {TEXTS}"), &headers), " 426")
}

fn key(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let key = random.pick(&[
        "",
        "Sec-WebSocket-Key: \r\n",
        "Sec-WebSocket-Key: c2hvcnQ=\r\n",
        "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSBsb25n\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    ]);
    answered(address, &with(address, &format!("GET {TEXTS}"), &format!("{VERSION}{key}")), " 400")
}

fn oversized(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let value = "x".repeat(140_000 + random.below(100_000));
    ended(address, request(address, &format!("X-Long: {value}\r\n")).as_bytes())
}

fn many(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let headers: String =
        (0..200 + random.below(2_000)).map(|number| format!("X-{number}: {number}\r\n")).collect();
    ended(address, request(address, &headers).as_bytes())
}

/// A handshake that is right, by somebody who then says nothing that is.
fn dribbled(_: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = connect(address)?;
    for byte in request(address, "").as_bytes() {
        send(&mut stream, &[*byte]);
    }
    send(&mut stream, b"\xFF");
    outlive(stream)
}

fn method(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let method = random.pick(&["POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT", "TRACE", "get", "PRI"]);
    ended(address, with(address, &format!("{method} {TEXTS}"), &format!("{KEY}{VERSION}")).as_bytes())
}

fn path(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let long = format!("/ws/chat/{}/", "x".repeat(8_000));
    let paths = [
        "/ws/nothing/",
        "/ws/chat/%00/",
        "/ws/chat/%ff%fe/",
        "/ws/chat/../../../etc/passwd",
        "/ws/chat/%2e%2e%2f/",
        "/ws/notifications/?since=%00.&dialect=nonsense",
        "/ws/notifications/?dialect=rooms&dialect=nonsense",
        "*",
        "//",
        "http://elsewhere.example/ws/notifications/",
        &long,
    ];
    let path = random.pick(&paths);
    ended(address, with(address, &format!("GET {path}"), &format!("{KEY}{VERSION}")).as_bytes())
}

fn extensions(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let many = format!("{}@", "permessage-deflate; unknown, ".repeat(2_000));
    let offers = [";", "permessage-deflate; server_max_window_bits=\"", "a b c", "\"\"", &many];
    let offer = random.pick(&offers);
    answered(address, &request(address, &format!("Sec-WebSocket-Extensions: {offer}\r\n")), " 400")
}

fn body(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let header = random.pick(&[
        "Content-Length: 10\r\n",
        "Content-Length: 18446744073709551615\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
    ]);
    ended(address, format!("{}5\r\nGET / HTTP/1.1\r\n\r\n", request(address, header)).as_bytes())
}

fn token(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let part = |length: usize| "eyJhbGciOiJub25lIn0".chars().cycle().take(length).collect::<String>();
    let token = format!("{}.{}.{}", part(19), part(random.below(3_000)), part(random.below(200)));
    let start = format!("GET {TEXTS}?token={token}");
    ended(address, with(address, &start, &format!("{KEY}{VERSION}")).as_bytes())
}

fn behind(random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
    let again = request(address, "").repeat(1 + random.below(20));
    ended(address, again.as_bytes())
}
