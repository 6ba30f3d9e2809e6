//! A server that is measured, with all that it needs.

use std::{env, net::SocketAddr};

use anyhow::{Context, Result};
use serde::Serialize;
use tempfile::TempDir;

use super::{
    Seat, gateway, peer,
    process::{self, Process},
    publisher::{Control, OverBus, Publisher},
    stand_in::StandIn,
};
use crate::{
    accounts,
    client::{Framing, Guests},
    metrics,
    placement::Placement,
};

/// The servers that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Floor,
    Gateway,
    /// A gateway that neither counts nor times its deliveries.
    Uninstrumented,
    Ws,
    SocketIo,
    Channels,
}

impl Kind {
    /// Whoever delivers messages to WebSockets, beside the gateway.
    pub(crate) const PEERS: [Self; 3] = [Self::Ws, Self::SocketIo, Self::Channels];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Gateway => "gateway",
            Self::Uninstrumented => "gateway without instrumentation",
            Self::Ws => "node ws",
            Self::SocketIo => "Socket.IO",
            Self::Channels => "Django Channels",
        }
    }
}

/// A running server. Dropping it ends it, and then what it needs.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// What else it needs, each a process of its own.
    behind: Vec<Process>,
    gateway: Option<Behind>,
}

/// One that has just been started.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) address: SocketAddr,
    pub(super) behind: Vec<Process>,
}

/// What stands behind a gateway.
struct Behind {
    stand_in: StandIn,
    operations: SocketAddr,
    _directory: TempDir,
}

impl Server {
    /// Starts a fresh one.
    ///
    /// # Errors
    /// If it doesn't become ready.
    pub(crate) fn start(kind: Kind, placement: &Placement) -> Result<Self> {
        let started = match kind {
            Kind::Floor => start_floor(placement),
            Kind::Gateway | Kind::Uninstrumented => return Self::start_gateway(kind, placement),
            _ => peer::start(kind, placement),
        };
        let Started { process, address, behind } = started?;
        Ok(Self { kind, process, address, behind, gateway: None })
    }

    fn start_gateway(kind: Kind, placement: &Placement) -> Result<Self> {
        let (stand_in, directory) = (StandIn::start()?, TempDir::new()?);
        let gateway::Started { process, listen, operations } =
            gateway::start(placement, &stand_in, &directory, kind == Kind::Gateway)?;
        let behind = Behind { stand_in, operations, _directory: directory };
        Ok(Self { kind, process, address: listen, behind: Vec::new(), gateway: Some(behind) })
    }

    /// So many clients with this seat. The users of those of a gateway are numbered from `first` on.
    pub(crate) fn guests(&self, seat: Seat, first: usize, count: usize) -> Guests {
        let path = |user| match self.kind {
            Kind::Floor => format!("/{}", seat.group()),
            Kind::Gateway | Kind::Uninstrumented => seat.path(user),
            Kind::Ws | Kind::Channels => "/".to_owned(),
            Kind::SocketIo => "/socket.io/?EIO=4&transport=websocket".to_owned(),
        };
        let framing = if self.kind == Kind::SocketIo { Framing::SocketIo } else { Framing::Plain };
        Guests::new((first..first + count).map(path).collect()).speaking(framing)
    }

    /// What publishes to everybody who shares this seat.
    ///
    /// # Errors
    /// If the server can't be reached.
    pub(crate) fn publisher(&self, group: &'static str) -> Result<Publisher> {
        Ok(match &self.gateway {
            Some(Behind { stand_in, .. }) => Publisher::Bus(OverBus::new(stand_in, group)?),
            None => Publisher::Socket(Control::connect(self.kind, self.address, group)?),
        })
    }

    /// What stands in for the services of a gateway.
    ///
    /// # Errors
    /// Another server.
    pub(crate) fn stand_in(&self) -> Result<&StandIn> {
        Ok(&self.gateway.as_ref().context("only a gateway has services")?.stand_in)
    }

    /// A gateway's metrics.
    ///
    /// # Errors
    /// Another server, or no answer.
    pub(crate) fn metrics(&self) -> Result<String> {
        metrics::scrape(self.gateway.as_ref().context("only a gateway has metrics")?.operations)
    }

    /// CPU seconds so far of what carries its messages: a gateway's bus, or Redis.
    ///
    /// # Errors
    /// If that is no more.
    pub(crate) fn carrier_cpu(&self) -> Result<f64> {
        let carriers = self.behind.iter().map(Process::id);
        let bus = self.gateway.as_ref().map(|behind| behind.stand_in.nats_id()).transpose()?;
        carriers.chain(bus).map(accounts::cpu_seconds).sum()
    }
}

fn start_floor(placement: &Placement) -> Result<Started> {
    let mut command = process::command(env::current_exe()?);
    command.arg("floor");
    let (process, address) = placement.on_the_servers_core(|| Process::announced("floor", command))?;
    Ok(Started { process, address, behind: Vec::new() })
}
