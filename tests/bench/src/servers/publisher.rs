//! How a message gets into a server.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use carillon_bus::Bus;
use carillon_contract::{Channel, Subject};
use prost::Message;
use tokio::{runtime::Handle, time::timeout};

use super::{channel_log::ChannelLog, floor, server::Kind, stand_in::StandIn};
use crate::client::{Stamp, json, spliced, websocket};

/// How long a server may take to accept a message.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whoever publishes to one group of one server.
#[derive(Debug)]
pub(crate) enum Publisher {
    Socket(Control),
    Bus(OverBus),
}

impl Publisher {
    /// Publishes the messages of these numbers, each `length` bytes of JSON, as one batch.
    ///
    /// # Errors
    /// A server that is gone, or doesn't listen.
    pub(crate) fn publish(&mut self, sequences: Range<u64>, sent: u64, length: usize) -> Result<()> {
        match self {
            Self::Socket(control) => control.publish(sequences, sent, length),
            Self::Bus(bus) => bus.publish(sequences, sent, length),
        }
    }
}

/// A connection that says what everybody is to get: to the floor the very bytes of its frames, to a peer
/// a message, which the peer frames itself.
#[derive(Debug)]
pub(crate) struct Control {
    stream: TcpStream,
    channel: String,
    is_framed: bool,
    frames: Vec<u8>,
}

impl Control {
    pub(super) fn connect(kind: Kind, server: SocketAddr, group: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(server).context("cannot connect a publisher")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let is_framed = kind == Kind::Floor;
        let path = if is_framed { format!("{}/{group}", floor::CONTROL) } else { floor::CONTROL.to_owned() };
        stream.write_all(&websocket::upgrade_request(&server.to_string(), &path))?;
        let mut response = [0; 1024];
        let length = stream.read(&mut response).context("no answer to a publisher")?;
        ensure!(websocket::accepted(&response[..length])?.is_some(), "a publisher was answered in pieces");
        Ok(Self { stream, channel: format!("org.{group}"), is_framed, frames: Vec::new() })
    }

    fn publish(&mut self, sequences: Range<u64>, sent: u64, length: usize) -> Result<()> {
        self.frames.clear();
        for sequence in sequences {
            let text = spliced(Stamp { sequence, sent }, length, &self.channel);
            if self.is_framed {
                websocket::write_text(&text, &mut self.frames);
            } else {
                self.frames.extend(websocket::client_text(&text)?);
            }
        }
        self.stream.write_all(&self.frames).context("the server takes no messages")
    }
}

/// Publishes to a channel as the service that owns it does: durable events, over the bus.
#[derive(Debug)]
pub(crate) struct OverBus {
    bus: Bus,
    log: ChannelLog,
    channel: Channel,
    subject: Subject,
    runtime: Handle,
}

impl OverBus {
    /// To the events of an organisation.
    pub(crate) fn new(stand_in: &StandIn, org: &str) -> Result<Self> {
        let (bus, log, runtime) = (stand_in.bus.clone(), stand_in.log.clone(), stand_in.handle());
        let channel = Channel::org(org)?;
        Ok(Self { bus, log, subject: Subject::live(&channel), channel, runtime })
    }

    /// Publishes the messages of these numbers, which are their offsets.
    ///
    /// # Errors
    /// A bus that is gone.
    pub(crate) fn publish(&mut self, sequences: Range<u64>, sent: u64, length: usize) -> Result<()> {
        let publishing = async {
            for sequence in sequences {
                let event = self.log.append(&self.channel, json(Stamp { sequence, sent }, length));
                self.bus.publish(&self.subject, event.encode_to_vec().into()).await?;
            }
            anyhow::Ok(())
        };
        let published = self.runtime.block_on(async { timeout(PATIENCE, publishing).await });
        published.context("the bus takes no messages")?.context("the bus is gone")
    }
}
