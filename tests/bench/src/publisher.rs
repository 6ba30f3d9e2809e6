//! How a message gets into a server.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
};

use anyhow::{Context, Result, ensure};
use carillon_bus::Bus;
use carillon_contract::{Channel, Subject};
use prost::Message;
use tokio::runtime::Handle;

use crate::{
    channel_log::ChannelLog,
    floor,
    message::{self, Stamp},
    stand_in::StandIn,
    websocket,
};

/// Whoever publishes to one of the servers.
#[derive(Debug)]
pub(crate) enum Publisher {
    Floor(Control),
    Gateway(OverBus),
}

impl Publisher {
    /// Publishes the messages of these numbers, each `length` bytes of JSON, as one batch.
    pub(crate) fn publish(&mut self, sequences: Range<u64>, sent: u64, length: usize) -> Result<()> {
        match self {
            Self::Floor(control) => control.publish(sequences, sent, length),
            Self::Gateway(bus) => bus.publish(sequences, sent, length),
        }
    }
}

/// The floor's control connection: the very bytes that everybody is to get.
#[derive(Debug)]
pub(crate) struct Control {
    stream: TcpStream,
    frames: Vec<u8>,
}

impl Control {
    pub(crate) fn connect(server: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect(server).context("cannot connect to the floor")?;
        stream.set_nodelay(true)?;
        stream.write_all(&websocket::upgrade_request(&server.to_string(), floor::CONTROL))?;
        let mut response = [0; 1024];
        let length = stream.read(&mut response)?;
        ensure!(websocket::accepted(&response[..length])?.is_some(), "the floor answered in pieces");
        Ok(Self { stream, frames: Vec::new() })
    }

    fn publish(&mut self, sequences: Range<u64>, sent: u64, length: usize) -> Result<()> {
        self.frames.clear();
        for sequence in sequences {
            websocket::write_text(&message::spliced(Stamp { sequence, sent }, length), &mut self.frames);
        }
        self.stream.write_all(&self.frames).context("the floor is gone")
    }
}

/// Publishes to channel `everyone` as the service that owns it does: durable events, over the bus.
#[derive(Debug)]
pub(crate) struct OverBus {
    bus: Bus,
    log: ChannelLog,
    subject: Subject,
    runtime: Handle,
}

impl OverBus {
    pub(crate) fn new(stand_in: &StandIn) -> Self {
        let (bus, log, runtime) = (stand_in.bus.clone(), stand_in.log.clone(), stand_in.handle());
        Self { bus, log, subject: Subject::live(&Channel::everyone()), runtime }
    }

    fn publish(&mut self, sequences: Range<u64>, sent: u64, length: usize) -> Result<()> {
        self.runtime.block_on(async {
            for sequence in sequences {
                let event = self.log.append(message::json(Stamp { sequence, sent }, length));
                self.bus
                    .publish(&self.subject, event.encode_to_vec().into())
                    .await
                    .context("the bus is gone")?;
            }
            Ok(())
        })
    }
}
