//! The headers in which proxies name those whom they forward for, nearest last.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_http::header::HeaderMap;
use clap::ValueEnum;

/// The header that the proxies in front of a gateway set. Only one is believed: what a proxy doesn't
/// set, it passes on from whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: 192.0.2.7, 198.51.100.2`
    #[value(name = "x-forwarded-for")]
    XForwardedFor,
    /// `Forwarded: for=192.0.2.7, for="[2001:db8::7]:4711"` (RFC 7239)
    Forwarded,
}

impl ForwardedHeader {
    /// The hops that a request names, nearest first. `None` stands for one that is no address.
    pub(super) fn hops(self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let name = match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        };
        let values = headers.get_all(name).map(|value| value.to_str().unwrap_or_default());
        let elements = values.flat_map(|value| value.split(','));
        let mut hops: Vec<_> = elements.map(|element| self.hop(element)).collect();
        hops.reverse();
        hops
    }

    fn hop(self, element: &str) -> Option<IpAddr> {
        match self {
            Self::XForwardedFor => node(element),
            Self::Forwarded => {
                let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
                pairs
                    .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))
                    .and_then(|(_, value)| node(value))
            }
        }
    }
}

/// An address, perhaps in quotes, in brackets, with a port.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(bracketed).or_else(with_port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_whatever_form_proxies_write_it() {
        for (text, address) in [
            ("192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7:4711 ", "192.0.2.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("\"[2001:db8::7]\"", "2001:db8::7"),
        ] {
            assert_eq!(node(text), address.parse().ok(), "{text}");
        }
        for text in ["", "unknown", "_hidden", "192.0.2", "192.0.2.7.8", "\"", "[", "[]", "a, b"] {
            assert_eq!(node(text), None, "{text}");
        }
    }
}
