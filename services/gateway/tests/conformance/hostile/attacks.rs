//! What hostile clients do: each attack is one connection.

mod frames;
mod handshakes;

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context, bail};

use super::random::Random;
use crate::{
    peer::Peer,
    stage::TEXTS,
    wire::{TEXT, compressed},
};

/// How long a gateway may leave an attacker waiting for its end.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Clone, Copy)]
pub(super) struct Attack {
    pub(super) name: &'static str,
    run: fn(&mut Random, SocketAddr) -> anyhow::Result<()>,
}

impl Attack {
    /// One after the other.
    pub(super) fn of(number: usize) -> Self {
        let (handshakes, frames) = (handshakes::ATTACKS, frames::ATTACKS);
        match number % 2 {
            0 => handshakes[number / 2 % handshakes.len()],
            _ => frames[number / 2 % frames.len()],
        }
    }

    pub(super) fn run(self, random: &mut Random, address: SocketAddr) -> anyhow::Result<()> {
        (self.run)(random, address)
    }
}

/// A client that has begun something, and waits.
pub(super) enum Stalled {
    /// Its request is not whole, which the gateway gives up.
    Handshake(TcpStream),
    /// Its frame is not whole. It may take its time, and then vanishes.
    Frame(Peer),
}

pub(super) fn stall(random: &mut Random, address: SocketAddr) -> anyhow::Result<Stalled> {
    if random.below(2) == 0 {
        let mut peer = frames::peer(address, TEXTS)?;
        let frame = compressed(TEXT, &random.bytes(5_000));
        peer.send(&frame[..random.below(frame.len() - 1)]);
        return Ok(Stalled::Frame(peer));
    }
    let (mut stream, request) = (connect(address)?, handshakes::request(address, ""));
    send(&mut stream, &request.as_bytes()[..random.below(request.len() - 1)]);
    Ok(Stalled::Handshake(stream))
}

impl Stalled {
    /// Waits until the gateway is rid of it, if that is the gateway's to do.
    pub(super) fn outlive(self) -> anyhow::Result<()> {
        match self {
            Self::Handshake(stream) => outlive(stream).context("half a handshake"),
            Self::Frame(peer) => {
                drop(peer);
                Ok(())
            }
        }
    }
}

fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(address).context("connecting")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A gateway that has had enough takes no more.
fn send(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// Reads until the gateway ends the connection, in whichever way.
fn outlive(mut stream: TcpStream) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                bail!("the gateway does not end it")
            }
            Err(_) => return Ok(()),
        }
    }
}
