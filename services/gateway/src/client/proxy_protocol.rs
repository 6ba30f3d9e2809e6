//! The PROXY protocol, versions 1 and 2: a header before anything else on a connection, in which a
//! balancer that understands no HTTP says whom it forwards for.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use actix_rt::net::TcpStream;
use ppp::{v1, v2};
use tokio::io::AsyncReadExt;

use super::Proxies;

/// What both versions have at least.
const START: usize = 12;

/// What version 2 has before its addresses, whose length it says.
const FIXED: usize = 16;

/// The longest header of version 1, its line's end included.
const LONGEST_LINE: usize = 107;

/// The longest header of version 2 that is read: addresses, and more than balancers add to them.
const LONGEST: usize = 4_096;

/// The peer of a connection, as its proxy gives it: a trusted one that speaks the protocol has to begin
/// with it, and nobody else is asked.
///
/// # Errors
/// No header, one that can't be read, or one that takes too long.
pub(crate) async fn peer_of(
    stream: &mut TcpStream,
    proxies: &Proxies,
    patience: Duration,
) -> io::Result<SocketAddr> {
    let peer = stream.peer_addr()?;
    if !proxies.speak_proxy_protocol || !proxies.trust(peer.ip()) {
        return Ok(peer);
    }
    let header = tokio::time::timeout(patience, header(stream));
    let header = header.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    Ok(source(&header)?.unwrap_or(peer))
}

/// The header's bytes, and not one of what follows.
async fn header(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut header = vec![0; START];
    stream.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        header.resize(FIXED, 0);
        stream.read_exact(&mut header[START..]).await?;
        let rest = usize::from(u16::from_be_bytes([header[14], header[15]]));
        let length = FIXED + rest;
        if length > LONGEST {
            return Err(invalid("a header of version 2 is too long"));
        }
        header.resize(length, 0);
        stream.read_exact(&mut header[FIXED..]).await?;
    } else if header.starts_with(v1::PROTOCOL_PREFIX.as_bytes()) {
        line(stream, &mut header).await?;
    } else {
        return Err(invalid("a connection of a trusted proxy begins with no PROXY header"));
    }
    Ok(header)
}

/// Reads on to the line's end: as much as is there, but nothing that follows it.
async fn line(stream: &mut TcpStream, header: &mut Vec<u8>) -> io::Result<()> {
    while !header.ends_with(b"\n") {
        let mut ahead = [0; LONGEST_LINE];
        let room = LONGEST_LINE.saturating_sub(header.len());
        let seen = stream.peek(&mut ahead[..room]).await?;
        if seen == 0 {
            return Err(invalid("a header of version 1 has no end"));
        }
        let end = ahead[..seen].iter().position(|byte| *byte == b'\n').map_or(seen, |place| place + 1);
        let start = header.len();
        header.resize(start + end, 0);
        stream.read_exact(&mut header[start..]).await?;
    }
    Ok(())
}

/// Whom it forwards for. `None`: itself, or somebody without an address.
fn source(header: &[u8]) -> io::Result<Option<SocketAddr>> {
    if header.starts_with(v2::PROTOCOL_PREFIX) {
        let header = v2::Header::try_from(header).map_err(|error| invalid(&error.to_string()))?;
        let address = |address: IpAddr, port| Some(SocketAddr::new(address.to_canonical(), port));
        return Ok(match (header.command, header.addresses) {
            (v2::Command::Local, _) => None,
            (_, v2::Addresses::IPv4(from)) => address(from.source_address.into(), from.source_port),
            (_, v2::Addresses::IPv6(from)) => address(from.source_address.into(), from.source_port),
            (_, v2::Addresses::Unix(_) | v2::Addresses::Unspecified) => None,
        });
    }
    let header = v1::Header::try_from(header).map_err(|error| invalid(&error.to_string()))?;
    let address = |address: IpAddr, port| Some(SocketAddr::new(address.to_canonical(), port));
    Ok(match header.addresses {
        v1::Addresses::Tcp4(from) => address(from.source_address.into(), from.source_port),
        v1::Addresses::Tcp6(from) => address(from.source_address.into(), from.source_port),
        v1::Addresses::Unknown => None,
    })
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;
    use crate::client::{ForwardedHeader, network};

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Who the peer of a connection that begins with this is said to be, and what is left to read.
    async fn heard(pieces: &[&[u8]], trusted: &str) -> io::Result<(String, Vec<u8>)> {
        let proxies = Proxies {
            trusted: vec![network(trusted).expect("a network")],
            header: ForwardedHeader::XForwardedFor,
            speak_proxy_protocol: true,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        client.set_nodelay(true)?;
        let (mut stream, _) = listener.accept().await?;
        let said = async {
            for piece in pieces {
                client.write_all(piece).await?;
                tokio::task::yield_now().await;
            }
            client.shutdown().await
        };
        let (peer, said) = tokio::join!(peer_of(&mut stream, &proxies, PATIENCE), said);
        said?;
        let peer = peer?.ip().to_string();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await?;
        Ok((peer, rest))
    }

    fn version_2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).expect("a length").to_be_bytes();
        [v2::PROTOCOL_PREFIX, &[command, family], &length, addresses].concat()
    }

    #[tokio::test]
    async fn both_versions_are_understood_and_nothing_behind_them_is_eaten() {
        let one = |line: &str| line.as_bytes().to_vec();
        let v4 = [198, 51, 100, 1, 10, 0, 0, 1, 0x12, 0x34, 0, 80];
        let mut with_more = v4.to_vec();
        with_more.extend([4, 0, 1, 42]);
        let headers = [
            (one("PROXY TCP4 198.51.100.1 10.0.0.1 4711 80\r\n"), "198.51.100.1"),
            (one("PROXY TCP6 2001:db8::7 2001:db8::1 4711 80\r\n"), "2001:db8::7"),
            (one("PROXY UNKNOWN\r\n"), "127.0.0.1"),
            (version_2(0x21, 0x11, &v4), "198.51.100.1"),
            (version_2(0x21, 0x11, &with_more), "198.51.100.1"),
            (version_2(0x20, 0x00, &[]), "127.0.0.1"),
        ];
        for (header, peer) in headers {
            let whole = [&*header, b"GET / HTTP/1.1\n"].concat();
            let bytes: Vec<_> = whole.chunks(1).collect();
            for pieces in [&[&*whole][..], &bytes] {
                let (heard, rest) = heard(pieces, "127.0.0.1").await.expect("a header");
                assert_eq!((heard.as_str(), &*rest), (peer, &b"GET / HTTP/1.1\n"[..]));
            }
        }
    }

    #[tokio::test]
    async fn a_trusted_proxy_has_to_speak_it_and_nobody_else_is_asked() {
        for nonsense in [
            &b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
            b"PROXY TCP4 nonsense\r\n",
            b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 80",
            &[b'P'; 200],
            b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 80 and so on, and so on, and so on, and so on, and so on, and so",
            b"PROXY",
            &version_2(0x21, 0x11, &[0; 5]),
            &version_2(0x21, 0x11, &[0; 5_000]),
        ] {
            assert!(heard(&[nonsense], "127.0.0.1").await.is_err(), "{nonsense:?}");
        }
        let header = b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 80\r\n";
        let (peer, rest) = heard(&[header], "10.0.0.0/8").await.expect("a peer");
        assert_eq!((peer.as_str(), &*rest), ("127.0.0.1", &header[..]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_header_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = source(&bytes);
            let _ = source(&[v2::PROTOCOL_PREFIX, &*bytes].concat());
        }
    }
}
