//! What counts as one address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IPv4 address; of IPv6 the network of 64 bits that one customer has at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Source {
    V4(u32),
    V6(u64),
}

impl Source {
    /// As it travels on the bus.
    pub(super) fn bytes(self) -> Vec<u8> {
        match self {
            Self::V4(address) => address.to_be_bytes().to_vec(),
            Self::V6(network) => network.to_be_bytes().to_vec(),
        }
    }

    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let v4 = || bytes.try_into().ok().map(|bytes| Self::V4(u32::from_be_bytes(bytes)));
        bytes.try_into().ok().map(|bytes| Self::V6(u64::from_be_bytes(bytes))).or_else(v4)
    }
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(Ipv4Addr::to_bits(address)),
            IpAddr::V6(address) => Self::V6((Ipv6Addr::to_bits(address) >> 64) as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        text.parse::<IpAddr>().expect("an address").into()
    }

    #[test]
    fn ipv6_counts_by_its_first_half() {
        assert_eq!(source("2001:db8:1:2::1"), source("2001:db8:1:2:ffff::"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        for text in ["192.0.2.1", "2001:db8:1:2::", "::"] {
            assert_eq!(Source::of_bytes(&source(text).bytes()), Some(source(text)));
        }
        assert_eq!(Source::of_bytes(&[1, 2, 3]), None);
    }
}
