//! What the cases share: two gateway processes, the bus that they are on, and the owner behind them.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use carillon_bus::{Bus, NatsOptions, Server};
use carillon_contract::ServiceName;
use carillon_testkit::Nats;
use tokio::runtime::{Builder, Runtime};

use crate::{gateway::GatewayProcess, owner::Owner};

/// An endpoint where texts are answered with themselves if they are JSON, and with [`not_json`] if they are not.
pub(crate) const TEXTS: &str = "/ws/notifications/";

/// An endpoint where binary messages are answered with themselves.
pub(crate) const BINARIES: &str = "/ws/documents/conformance/";

/// The largest messages that a gateway can be configured to take.
pub(crate) const LARGEST_TEXT: usize = 1_048_576;
pub(crate) const LARGEST_BINARY: usize = 2_097_152;

/// Requests that an owner answers at a time.
const CONCURRENCY: usize = 256;

/// How long the bus may take to connect.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    /// Of the gateway as it is without further options.
    pub(crate) address: SocketAddr,
    /// Of the one that compresses.
    pub(crate) compressing: SocketAddr,
    _gateways: [GatewayProcess; 2],
    // Last, because what stands above runs on it.
    back: Backstage,
}

impl Stage {
    /// Starts everything. Whoever calls it has to live on: the gateways end with the thread that started them.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let back = Backstage::start()?;
        let (plain, address) = back.gateway(&[])?;
        let (other, compressing) = back.gateway(&["--compression"])?;
        Ok(Self { address, compressing, _gateways: [plain, other], back })
    }

    /// Runs what has to be awaited.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.back.runtime.block_on(future)
    }
}

/// What stands behind gateways.
pub(crate) struct Backstage {
    pub(crate) bus: Bus,
    _servers: Vec<Server>,
    nats: Nats,
    pub(crate) runtime: Runtime,
}

impl Backstage {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (nats, bus, servers) = runtime.block_on(async {
            let nats = Nats::start().await?;
            let bus = Bus::connect(NatsOptions::new(nats.url(), "conformance")).await?;
            tokio::time::timeout(PATIENCE, connected(&bus)).await.context("NATS does not answer")?;
            let mut servers = Vec::new();
            for service in ServiceName::ALL {
                servers.push(bus.serve(service, CONCURRENCY, Owner).await?);
            }
            anyhow::Ok((nats, bus, servers))
        })?;
        Ok(Self { bus, _servers: servers, nats, runtime })
    }

    /// A gateway with these options besides its usual ones, and where it is. It ends with the thread that started it.
    pub(crate) fn gateway(&self, options: &[&str]) -> anyhow::Result<(GatewayProcess, SocketAddr)> {
        GatewayProcess::start(&self.nats.url(), options)
    }
}

/// What a text that is not JSON is answered with: so it was taken for a text.
pub(crate) fn not_json() -> Vec<u8> {
    let endpoint = carillon_contract::endpoint("notifications").expect("an endpoint");
    format!("{{\"type\":\"error\",\"message\":\"{}\"}}", endpoint.invalid_json).into_bytes()
}

async fn connected(bus: &Bus) {
    let mut signals = bus.signals();
    while !bus.is_connected() {
        // Whatever it was, the next look at the connection tells.
        let _ = tokio::time::timeout(Duration::from_millis(50), signals.recv()).await;
    }
}
