//! The floor: a bare epoll loop that accepts sockets, answers the upgrade, and writes whatever a
//! control connection sends to all of its group, one write per socket. No queues, no limits, no rules.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

use anyhow::{Context, Result, bail, ensure};
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use slab::Slab;

use super::process::ANNOUNCEMENT;
use crate::client::websocket;

/// The path of a connection that says what everybody in a group is to get, once it is upgraded: that
/// group's path comes after it.
pub(crate) const CONTROL: &str = "/control";
/// What everybody is greeted with.
const GREETING: &[u8] = b"{\"type\":\"connection_status\"}";

const LISTENER: Token = Token(usize::MAX - 1);
const SCRATCH: usize = 64 * 1024;

/// The arguments of `bench floor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Serves until a control connection ends.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut floor = Floor::bind(arguments.listen)?;
    println!("{ANNOUNCEMENT}{}", floor.listener.local_addr()?);
    while floor.turn()? {}
    Ok(())
}

#[derive(Debug)]
struct Floor {
    poll: Poll,
    events: Events,
    listener: TcpListener,
    /// The paths of groups, whose places are their numbers.
    groups: Vec<String>,
    peers: Slab<Peer>,
    scratch: Box<[u8]>,
}

#[derive(Debug)]
struct Peer {
    stream: TcpStream,
    role: Role,
}

#[derive(Debug)]
enum Role {
    /// Has sent this much of its request.
    Asking(Vec<u8>),
    /// Listens to this group.
    Audience(usize),
    /// Speaks to it.
    Control(usize),
}

impl Floor {
    fn bind(address: SocketAddr) -> Result<Self> {
        let mut listener =
            TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let (events, scratch) = (Events::with_capacity(1024), vec![0; SCRATCH].into_boxed_slice());
        Ok(Self { poll, events, listener, groups: Vec::new(), peers: Slab::new(), scratch })
    }

    /// Returns whether to go on.
    fn turn(&mut self) -> Result<bool> {
        self.poll.poll(&mut self.events, None)?;
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let mut go_on = true;
        for event in &events {
            go_on &= match event.token() {
                LISTENER => self.accept()?,
                token => self.hear(token.0, event.is_read_closed())?,
            };
        }
        self.events = events;
        Ok(go_on)
    }

    fn accept(&mut self) -> Result<bool> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error).context("cannot accept"),
            };
            stream.set_nodelay(true)?;
            let entry = self.peers.vacant_entry();
            self.poll.registry().register(&mut stream, Token(entry.key()), Interest::READABLE)?;
            entry.insert(Peer { stream, role: Role::Asking(Vec::new()) });
        }
    }

    fn hear(&mut self, key: usize, ending: bool) -> Result<bool> {
        loop {
            let length = match self.peers[key].stream.read(&mut self.scratch) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Ok(0) | Err(_) => return Ok(!matches!(self.peers.remove(key).role, Role::Control(_))),
                Ok(length) => length,
            };
            match &mut self.peers[key].role {
                Role::Asking(request) => {
                    request.extend_from_slice(&self.scratch[..length]);
                    self.answer(key)?;
                }
                Role::Control(group) => {
                    let group = *group;
                    self.write_to_all(group, length)?;
                }
                Role::Audience(_) => {}
            }
            if length < self.scratch.len() && !ending {
                return Ok(true);
            }
        }
    }

    fn answer(&mut self, key: usize) -> Result<()> {
        let peer = &mut self.peers[key];
        let Role::Asking(request) = &peer.role else { return Ok(()) };
        let Some(path) = websocket::requested_path(request)? else { return Ok(()) };
        let (group, speaks) = path.strip_prefix(CONTROL).map_or((path, false), |group| (group, true));
        let known = self.groups.iter().position(|name| name == group);
        let group = known.unwrap_or_else(|| {
            self.groups.push(group.to_owned());
            self.groups.len() - 1
        });
        let role = if speaks { Role::Control(group) } else { Role::Audience(group) };
        let mut response = websocket::upgrade_response();
        websocket::write_text(GREETING, &mut response);
        peer.role = role;
        write_at_once(&mut peer.stream, &response)
    }

    fn write_to_all(&mut self, group: usize, length: usize) -> Result<()> {
        for (_, peer) in &mut self.peers {
            if matches!(peer.role, Role::Audience(its) if its == group) {
                write_at_once(&mut peer.stream, &self.scratch[..length])?;
            }
        }
        Ok(())
    }
}

/// One write. What doesn't fit has nowhere to wait, so a peer that doesn't keep up ends the measurement.
fn write_at_once(stream: &mut TcpStream, bytes: &[u8]) -> Result<()> {
    match stream.write(bytes) {
        Ok(written) => ensure!(written == bytes.len(), "a client's socket is full"),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => bail!("a client's socket is full"),
        Err(error) => return Err(error).context("cannot write to a client"),
    }
    Ok(())
}
