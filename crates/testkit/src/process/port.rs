//! Ports that two harnesses on one machine never share.

use std::{
    hash::{BuildHasher, RandomState},
    net::{Ipv4Addr, TcpListener, UdpSocket},
};

use anyhow::bail;

/// Below the range from which systems take the ports of outgoing connections: a client that keeps
/// reconnecting to a killed server could otherwise be given that server's own port.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// A TCP port of the loopback interface, reserved while this value lives.
///
/// Whoever will listen on it is another process, so the reservation is a UDP socket of the same
/// number: nobody needs that one, and the system gives it to one harness only.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _reservation: UdpSocket,
}

impl Port {
    /// A port that is free now.
    pub(crate) fn free() -> anyhow::Result<Self> {
        let length = u64::from(RANGE.end - RANGE.start);
        let first = RandomState::new().hash_one(std::process::id()) % length;
        for step in 0..length {
            let offset = u16::try_from((first + step) % length)?;
            if let Ok(port) = Self::exactly(RANGE.start + offset) {
                return Ok(port);
            }
        }
        bail!("no port of {RANGE:?} is free")
    }

    /// This very port.
    pub(crate) fn exactly(number: u16) -> std::io::Result<Self> {
        let reservation = UdpSocket::bind((Ipv4Addr::LOCALHOST, number))?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, number))?;
        Ok(Self { number, _reservation: reservation })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_not_given_twice() {
        let port = Port::free().expect("a port");
        assert!(Port::exactly(port.number()).is_err());
        TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).expect("a server can listen on it");
    }
}
