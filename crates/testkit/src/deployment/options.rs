//! What differs between the deployments of tests.

use std::sync::Arc;

use crate::{authority::Authority, collector::Collector, postgres::Durability, tokens::IdentityProvider};

/// The HMAC secret with which every deployment verifies tokens (`CARILLON_JWT_SECRET`).
pub const JWT_SECRET: &str = "a-secret-of-the-tests-that-is-long-enough-for-hs512-and-known-to-all-of-them";

/// The secret with which the processes of a cluster sign the addresses of files (`CARILLON_BLOB_SECRET`).
pub(crate) const BLOB_SECRET: &str = "a-secret-of-the-tests-with-which-addresses-of-files-are-signed";

/// What chooses the mode of a deployment: one that is given any of these has no other.
const MODES: [&str; 3] = ["CARILLON_MODE", "USE_PRODUCTION_WEBSOCKET_MIDDLEWARE", "DEBUG"];

/// Which processes a cluster has, beside NATS and Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processes {
    /// The services that own a domain.
    pub services: &'static [&'static str],
    /// How many replicas there are of each of them.
    pub replicas: usize,
    /// Whether there is a second gateway. Without one the first is both of [`Deployment::gateways`].
    ///
    /// [`Deployment::gateways`]: super::Deployment::gateways
    pub second_gateway: bool,
}

impl Default for Processes {
    /// Everything, and two of each.
    fn default() -> Self {
        Self {
            services: &["auth", "notification", "chat", "ticket-presence", "metrics"],
            replicas: 2,
            second_gateway: true,
        }
    }
}

/// How a deployment is to be started: in development mode, unless its environment chooses one.
/// In every one the ids of auth's own users stand for themselves, and those of
/// the HMAC secret's and the OpenID provider's are prefixed (`django:7`), unless `CARILLON_BARE_IDS` in its
/// environment says otherwise.
#[derive(Debug)]
pub struct Options {
    /// Which processes a cluster has.
    pub processes: Processes,
    /// The ports of the gateways; any free ones if there are none here.
    pub gateway_ports: Option<[u16; 2]>,
    /// Whether Postgres waits for the disk.
    pub durability: Durability,
    /// An OpenID provider to trust.
    pub identity_provider: Option<IdentityProvider>,
    /// A collector to send spans to, every 50 ms.
    pub collector: Option<Collector>,
    /// Whose certificates the gateways speak TLS with, if they are to.
    pub tls: Option<Arc<Authority>>,
    /// Whether `carillon up` listens on every address, so that other machines can reach it. It makes neither demo
    /// users nor exceptions for anonymous callers then, and gets its admin as a cluster does.
    pub public: bool,
    /// More options of the gateways, or of `carillon up`.
    pub gateway_arguments: Vec<String>,
    /// More environment of every process.
    pub environment: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            processes: Processes::default(),
            gateway_ports: None,
            durability: Durability::Process,
            identity_provider: None,
            collector: None,
            tls: None,
            public: false,
            gateway_arguments: Vec::new(),
            environment: Vec::new(),
        }
    }
}

impl Options {
    /// What every process of the deployment finds in its environment.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![
            variable("CARILLON_JWT_SECRET", JWT_SECRET),
            variable("CARILLON_BARE_IDS", "carillon"),
            variable("CARILLON_LOG_FORMAT", "text"),
        ];
        if let Some(provider) = &self.identity_provider {
            environment.push(variable("KEYCLOAK_JWKS_URL", &provider.jwks_url()));
        }
        if let Some(collector) = &self.collector {
            environment.push(variable("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint()));
            environment.push(variable("OTEL_BSP_SCHEDULE_DELAY", "50"));
        }
        if !self.environment.iter().any(|(name, _)| MODES.contains(&name.as_str())) {
            // Hundreds of clients come from one address here.
            environment.push(variable("CARILLON_MODE", "development"));
        }
        environment.extend(self.environment.iter().cloned());
        environment
    }
}

pub(crate) fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
