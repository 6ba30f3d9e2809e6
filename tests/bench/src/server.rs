//! What is measured: the floor or a gateway, in a process of its own, with all that it needs.

use std::{env, net::SocketAddr};

use anyhow::Result;
use tempfile::TempDir;

use crate::{
    gateway,
    placement::Placement,
    process::{self, Process},
    publisher::{Control, OverBus, Publisher},
    stand_in::StandIn,
};

/// The servers that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Floor,
    Gateway,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Gateway => "gateway",
        }
    }
}

/// A running server. Dropping it ends it, and then what it needs.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    behind: Option<Behind>,
}

/// What stands behind a gateway.
struct Behind {
    stand_in: StandIn,
    directory: TempDir,
}

impl Server {
    /// Starts a fresh one.
    ///
    /// # Errors
    /// If it doesn't become ready.
    pub(crate) fn start(kind: Kind, placement: &Placement) -> Result<Self> {
        match kind {
            Kind::Floor => Self::start_floor(placement),
            Kind::Gateway => Self::start_gateway(placement),
        }
    }

    fn start_floor(placement: &Placement) -> Result<Self> {
        let mut command = process::command(env::current_exe()?);
        command.arg("floor");
        let (process, address) = placement.on_the_servers_core(|| Process::announced("floor", command))?;
        Ok(Self { kind: Kind::Floor, process, address, behind: None })
    }

    fn start_gateway(placement: &Placement) -> Result<Self> {
        let behind = Behind { stand_in: StandIn::start()?, directory: TempDir::new()? };
        let (process, address) = gateway::start(placement, &behind.stand_in, &behind.directory)?;
        Ok(Self { kind: Kind::Gateway, process, address, behind: Some(behind) })
    }

    /// Where clients connect to.
    pub(crate) fn path(&self) -> &'static str {
        match self.kind {
            Kind::Floor => "/",
            Kind::Gateway => gateway::PATH,
        }
    }

    /// What publishes to everybody who is connected.
    ///
    /// # Errors
    /// If the server can't be reached.
    pub(crate) fn publisher(&self) -> Result<Publisher> {
        match &self.behind {
            None => Ok(Publisher::Floor(Control::connect(self.address)?)),
            Some(Behind { stand_in, .. }) => Ok(Publisher::Gateway(OverBus::new(stand_in))),
        }
    }
}
