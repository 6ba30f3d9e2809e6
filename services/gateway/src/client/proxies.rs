//! Which proxies are believed, and what they then say.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_http::header::HeaderMap;
use ipnet::IpNet;

use super::ForwardedHeader;

/// The proxies in front of a gateway. A header of anyone else is as good as none.
#[derive(Debug, Clone)]
pub(crate) struct Proxies {
    pub(crate) trusted: Vec<IpNet>,
    pub(crate) header: ForwardedHeader,
    /// Whether their connections begin with the PROXY protocol.
    pub(crate) speak_proxy_protocol: bool,
}

impl Proxies {
    /// Where the client of a request is: of the hops that it came by, the nearest that is not trusted.
    /// Where all of them are, the farthest.
    pub(crate) fn client(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> IpAddr {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        let mut client = peer;
        if !self.trust(client) {
            return client;
        }
        for hop in self.header.hops(headers) {
            // Who is behind a hop that gives no address can't be told from it.
            let Some(hop) = hop else { return client };
            client = hop.to_canonical();
            if !self.trust(client) {
                return client;
            }
        }
        client
    }

    /// Whether what this address says of others is believed.
    pub(crate) fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// A network, or the one that holds just an address. IPv4 addresses written as IPv6 ones are IPv4.
///
/// # Errors
/// What a text can be, if it is neither.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    address.or_else(|_| text.parse::<IpNet>().map(|network| network.trunc())).map_err(|_| {
        "an address as 192.0.2.7 or 2001:db8::7, or a network as 10.0.0.0/8 or 2001:db8::/32".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use actix_http::test::TestRequest;
    use proptest::prelude::*;

    use super::*;

    fn proxies(trusted: &[&str], header: ForwardedHeader) -> Proxies {
        let trusted = trusted.iter().map(|text| network(text).expect("a network")).collect();
        Proxies { trusted, header, speak_proxy_protocol: false }
    }

    fn client(proxies: &Proxies, peer: &str, headers: &[(&'static str, &str)]) -> String {
        let mut request = TestRequest::default();
        for header in headers {
            request.append_header(*header);
        }
        let peer = peer.parse().map(|address| SocketAddr::new(address, 4711)).ok();
        proxies.client(peer, request.finish().head().headers()).to_string()
    }

    #[test]
    fn only_a_trusted_proxys_header_counts_and_of_it_the_nearest_untrusted_hop() {
        let proxies = proxies(&["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"], ForwardedHeader::XForwardedFor);
        let for_one = |peer, value| client(&proxies, peer, &[("x-forwarded-for", value)]);
        assert_eq!(for_one("203.0.113.9", "198.51.100.1"), "203.0.113.9", "a stranger's header");
        assert_eq!(for_one("10.1.2.3", "198.51.100.1"), "198.51.100.1");
        assert_eq!(for_one("::ffff:10.1.2.3", "::ffff:198.51.100.1"), "198.51.100.1");
        assert_eq!(for_one("2001:db8::1", "2001:dead::1"), "2001:dead::1");
        assert_eq!(for_one("10.1.2.3", "6.6.6.6, 198.51.100.1, 192.0.2.1"), "198.51.100.1", "a forged hop");
        assert_eq!(for_one("10.1.2.3", "10.9.9.9, 192.0.2.1"), "10.9.9.9", "a client among the trusted");
        assert_eq!(for_one("10.1.2.3", "198.51.100.1, unknown, 192.0.2.1"), "192.0.2.1");
        assert_eq!(for_one("10.1.2.3", ""), "10.1.2.3");
        let several = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "198.51.100.1")];
        assert_eq!(client(&proxies, "10.1.2.3", &several), "198.51.100.1");
        assert_eq!(
            client(&proxies, "10.1.2.3", &[("forwarded", "for=6.6.6.6")]),
            "10.1.2.3",
            "not its header"
        );
        assert_eq!(client(&proxies, "", &several), "0.0.0.0");
    }

    #[test]
    fn the_forwarded_header_can_be_chosen_instead() {
        let proxies = proxies(&["10.0.0.0/8"], ForwardedHeader::Forwarded);
        let value =
            "for=6.6.6.6, for=\"[2001:db8::7]:4711\";proto=https;by=10.0.0.1, proto=http;For=10.0.0.2";
        assert_eq!(client(&proxies, "10.1.2.3", &[("forwarded", value)]), "2001:db8::7");
        assert_eq!(client(&proxies, "10.1.2.3", &[("forwarded", "proto=https")]), "10.1.2.3");
        assert_eq!(client(&proxies, "10.1.2.3", &[("x-forwarded-for", "6.6.6.6")]), "10.1.2.3");
    }

    #[test]
    fn a_network_is_read_without_the_bits_of_hosts() {
        assert_eq!(network("10.1.2.3/8"), Ok("10.0.0.0/8".parse().expect("a network")));
        assert_eq!(network("::ffff:10.1.2.3"), Ok("10.1.2.3/32".parse().expect("a network")));
        assert!(network("10.0.0.0/33").is_err() && network("localhost").is_err() && network("").is_err());
    }

    proptest! {
        /// Whatever stands in the header, a stranger is where its socket is, and behind a proxy nobody
        /// becomes a hop that the last trusted one didn't name.
        #[test]
        fn nobody_chooses_its_own_address(forged in "[ -~]{0,80}") {
            let proxies = proxies(&["10.0.0.0/8"], ForwardedHeader::XForwardedFor);
            prop_assert_eq!(client(&proxies, "203.0.113.9", &[("x-forwarded-for", &forged)]), "203.0.113.9");
            let appended = format!("{forged}, 198.51.100.1");
            prop_assert_eq!(client(&proxies, "10.1.2.3", &[("x-forwarded-for", &appended)]), "198.51.100.1");
        }
    }
}
