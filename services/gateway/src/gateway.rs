//! What every worker of a gateway shares.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use actix_http::RequestHead;
use carillon_bus::Bus;
use carillon_contract::{CHANNELS, Dialect, Endpoint, GatewayId, Payload};
use carillon_service::Shell;

use crate::{
    authenticator::Authenticator,
    blobs::Door,
    client::Proxies,
    history::History,
    hosts::AllowedHosts,
    hub::Hub,
    leases::Leases,
    limits::{Limits, Quotas},
    metrics::Metrics,
    telemetry::Refusals,
};

/// One gateway.
pub(crate) struct Gateway {
    pub(crate) bus: Bus,
    pub(crate) hub: Hub,
    /// What has happened in channels.
    pub(crate) history: History,
    pub(crate) authenticator: Authenticator,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) settings: Settings,
    /// Where files pass.
    pub(crate) door: Door,
    /// Unique among gateways, and among the lives of this one.
    pub(crate) incarnation: GatewayId,
    pub(crate) leases: Leases,
    pub(crate) limits: Arc<Limits>,
    /// Handshakes that were refused.
    pub(crate) refusals: Refusals,
    pub(crate) draining: AtomicBool,
    connections: AtomicU64,
}

/// How a gateway behaves.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) allowed_hosts: AllowedHosts,
    /// Origins whose pages may use the HTTP API, or `*`.
    pub(crate) cors_origins: Vec<String>,
    /// How much one client may have.
    pub(crate) quotas: Quotas,
    /// Whose word counts about where clients are.
    pub(crate) proxies: Proxies,
    /// Endpoints and routes, by name, that let anonymous callers in; "all" stands for all that can.
    pub(crate) anonymous: Vec<String>,
    /// The dialect where neither the client nor its having a token says.
    pub(crate) dialect: Option<Dialect>,
    /// Refuse an invalid token with HTTP 403 rather than with a close code (S3-08).
    pub(crate) refuse_with_http: bool,
    /// The console is served.
    pub(crate) console: bool,
    /// Callers' traces are not gone on with.
    pub(crate) ignore_traceparent: bool,
    /// The largest message from a client, in bytes.
    pub(crate) frame_bytes: usize,
    /// The same at endpoints of binary frames.
    pub(crate) binary_frame_bytes: usize,
    /// What a client of binary frames may send in a minute without being slowed down, in bytes.
    pub(crate) binary_bytes_per_minute: u64,
    /// Whether messages are compressed for clients that offer it.
    pub(crate) compression: bool,
    /// The largest HTTP body, in bytes.
    pub(crate) body_bytes: usize,
    /// How long a client may take over its request head or body.
    pub(crate) request_timeout: Duration,
}

impl Settings {
    /// The largest message from a client of this endpoint, in bytes.
    pub(crate) fn frame_bytes_of(&self, endpoint: &Endpoint) -> usize {
        match endpoint.payload {
            Payload::Json | Payload::Channels => self.frame_bytes,
            Payload::Binary => self.binary_frame_bytes,
        }
    }
}

impl Gateway {
    pub(crate) fn new(
        shell: &Shell,
        (hub, history): (Hub, History),
        authenticator: Authenticator,
        metrics: Arc<Metrics>,
        settings: Settings,
        door: Door,
    ) -> Self {
        let incarnation = GatewayId::from(shell.health.life());
        let (draining, connections) = (AtomicBool::new(false), AtomicU64::new(0));
        let (leases, limits) = (Leases::new(), Limits::new(incarnation.as_str(), settings.quotas));
        Self {
            bus: shell.bus.clone(),
            hub,
            history,
            authenticator,
            metrics,
            settings,
            door,
            incarnation,
            leases,
            limits,
            refusals: Refusals::default(),
            draining,
            connections,
        }
    }

    /// An id for a connection, unique for ever.
    pub(crate) fn connection_id(&self) -> String {
        format!("{}-{}", self.incarnation, self.connections.fetch_add(1, Ordering::Relaxed))
    }

    /// Where the client of a request is.
    pub(crate) fn client(&self, head: &RequestHead) -> IpAddr {
        self.settings.proxies.client(head.peer_addr, head.headers())
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Whether a page of this origin may use the HTTP API.
    pub(crate) fn allows_page(&self, origin: &str) -> bool {
        let listed = |listed: &String| listed == "*" || listed == origin;
        self.settings.allowed_hosts.allows_origin(origin) || self.settings.cors_origins.iter().any(listed)
    }

    /// Whether the deployment lets anonymous callers use an endpoint or route that could allow them; who may
    /// be anonymous at any of them may be so in `carillon.v1`, for the same channels.
    pub(crate) fn allows_anonymous(&self, name: &str) -> bool {
        let is_meant = |allowed: &String| name == CHANNELS || allowed == name || allowed == "all";
        self.settings.anonymous.iter().any(is_meant)
    }

    /// Whether clients without a token may connect to an endpoint.
    pub(crate) fn lets_anyone_in(&self, endpoint: &Endpoint) -> bool {
        endpoint.anonymous && self.allows_anonymous(endpoint.name)
    }
}
