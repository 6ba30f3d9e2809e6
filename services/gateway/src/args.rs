//! The gateway's options.

mod issuers;
mod limits;
mod slow_consumer;
mod tls;

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use carillon_blob::BlobArgs;
use carillon_contract::{Dialect, ENDPOINTS, ROUTES, SlowConsumer};
use clap::{Args as ClapArgs, builder::BoolishValueParser};
use ipnet::IpNet;

pub use crate::client::ForwardedHeader;
use crate::{
    client::{Proxies, network},
    gateway::Settings,
    limits::Mode,
    shard::Bounds,
};
pub use issuers::IssuerArgs;
pub use limits::LimitArgs;
pub use tls::TlsArgs;

/// Hosts that a gateway on a laptop is reached by, as Django has them with `DEBUG`.
const LOCAL_HOSTS: &str = "localhost,.localhost,127.0.0.1,[::1]";

/// Clients' sockets, limits, fan-out, recovery, and the HTTP edge.
#[derive(Debug, Clone, ClapArgs)]
#[group(id = "gateway")]
pub struct Args {
    /// Address and port for WebSocket and HTTP clients.
    #[arg(long, env = "CARILLON_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    pub listen: SocketAddr,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub tls: TlsArgs,

    /// Worker threads; 0: one per core.
    #[arg(long, env = "CARILLON_WORKERS", value_name = "COUNT", default_value_t = 0)]
    pub workers: usize,

    /// Hosts and origins that may connect, separated by commas: exact names, `.example.com` for a
    /// domain and all below it, or `*`. A client without an Origin header may always connect.
    #[arg(long, env = "ALLOWED_HOSTS", value_name = "HOSTS", default_value = LOCAL_HOSTS)]
    pub allowed_hosts: String,

    /// Origins whose pages may use the HTTP API (CORS), separated by commas, as
    /// `https://app.example.com`, or `*`.
    #[arg(long, env = "CARILLON_CORS_ORIGINS", value_name = "ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,

    /// Addresses and networks of the proxies in front of this gateway, separated by commas, as
    /// `10.0.0.0/8,192.0.2.7`. Where a client is, is taken from their headers, and from nobody else's.
    #[arg(long, env = "CARILLON_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// The header in which they say it. One that they don't set would be their clients' own.
    #[arg(long, env = "CARILLON_FORWARDED_HEADER", value_name = "HEADER", default_value = "x-forwarded-for")]
    pub forwarded_header: ForwardedHeader,

    /// Connections of trusted proxies begin with the PROXY protocol, version 1 or 2.
    #[arg(long, env = "CARILLON_PROXY_PROTOCOL", requires = "trusted_proxies")]
    pub proxy_protocol: bool,

    /// Endpoints and routes that callers without a token may use, separated by commas:
    /// `notifications` (listening to what is sent to everyone), `notifications.send` (sending to
    /// everyone), `all`, or `none`.
    #[arg(long, env = "CARILLON_ALLOW_ANONYMOUS", value_name = "NAMES", value_delimiter = ',', value_parser = anonymous_name)]
    pub allow_anonymous: Option<Vec<String>>,

    /// The dialect of /ws/notifications/ where the client names none: `events`, `rooms` or
    /// `ticketing`. Without this, `events` with a token and `rooms` without.
    #[arg(long, env = "CARILLON_DEFAULT_DIALECT", value_name = "DIALECT", value_parser = dialect)]
    pub default_dialect: Option<Dialect>,

    /// Refuse an invalid token with HTTP 403 instead of a close code. Browsers can't see why, then.
    #[arg(long, env = "CARILLON_REFUSE_WITH_HTTP")]
    pub refuse_with_http: bool,

    /// Serve the console at `/`, a page of what Carillon does, whose users log in as everywhere. Without
    /// this, in development mode only.
    #[arg(long, env = "CARILLON_CONSOLE", value_name = "BOOL", value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    pub console: Option<bool>,

    /// Begin a trace of our own for each request, even if its caller has begun one (`traceparent`).
    #[arg(long, env = "CARILLON_IGNORE_TRACEPARENT")]
    pub ignore_traceparent: bool,

    /// Seconds of silence after which a client is pinged; after twice as long it is taken for dead.
    #[arg(long, env = "CARILLON_HEARTBEAT_SECONDS", value_name = "SECONDS", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub heartbeat_seconds: u32,

    /// Seconds for which a socket may take nothing before its client is taken for dead.
    #[arg(long, env = "CARILLON_WRITE_TIMEOUT_SECONDS", value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub write_timeout_seconds: u32,

    /// Seconds before a token expires at which its connection is told (`token_expiring`).
    #[arg(long, env = "CARILLON_EXPIRY_WARNING_SECONDS", value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub expiry_warning_seconds: u32,

    /// The largest message from a client, in bytes; a larger one closes with 1009.
    #[arg(long, env = "CARILLON_FRAME_BYTES", value_name = "BYTES", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1_024..=1_048_576))]
    pub frame_bytes: u32,

    /// The same at endpoints of binary frames (documents).
    #[arg(long, env = "CARILLON_BINARY_FRAME_BYTES", value_name = "BYTES", default_value_t = 1_048_576, value_parser = clap::value_parser!(u32).range(1_024..=2_097_152))]
    pub binary_frame_bytes: u32,

    /// What a client may send in a minute at such endpoints, in bytes; one that sends more is slowed down.
    #[arg(long, env = "CARILLON_BINARY_BYTES_PER_MINUTE", value_name = "BYTES", default_value_t = 16_777_216, value_parser = clap::value_parser!(u32).range(65_536..))]
    pub binary_bytes_per_minute: u32,

    /// Compress messages for clients that offer it (permessage-deflate), and take theirs compressed.
    #[arg(long, env = "CARILLON_COMPRESSION")]
    pub compression: bool,

    /// Messages to clients are compressed from this size on, in bytes, if that makes them smaller.
    #[arg(long, env = "CARILLON_COMPRESSION_MIN_BYTES", value_name = "BYTES", default_value_t = 512, value_parser = clap::value_parser!(u32).range(16..=1_048_576))]
    pub compression_min_bytes: u32,

    /// The largest HTTP body, in bytes; a larger one gets 413.
    #[arg(long, env = "CARILLON_BODY_BYTES", value_name = "BYTES", default_value_t = 1_048_576, value_parser = clap::value_parser!(u32).range(1_024..=2_097_152))]
    pub body_bytes: u32,

    /// Bytes that may wait to be written to one client; above that it is a slow consumer.
    #[arg(long, env = "CARILLON_QUEUE_BYTES", value_name = "BYTES", default_value_t = 1_048_576, value_parser = clap::value_parser!(u32).range(65_536..=268_435_456))]
    pub queue_bytes: u32,

    /// What becomes of slow consumers, by endpoint, where it is to be otherwise than usual, separated by
    /// commas, as `chat=drop,counter=close`. `close`: they are closed with 1013, and come back with `since`.
    /// `drop`: ephemeral events are left out, and they are told how many; a durable one that doesn't fit
    /// closes all the same. Usual is `close`, but `drop` for `document`.
    #[arg(long, env = "CARILLON_SLOW_CONSUMER", value_name = "POLICIES", value_delimiter = ',', value_parser = slow_consumer::policy)]
    pub slow_consumer: Vec<(&'static str, SlowConsumer)>,

    /// Memory for recent events, from which clients that come back are served, in bytes; a quarter of it is
    /// for events that were asked for in logs.
    #[arg(long, env = "CARILLON_RECENT_BYTES", value_name = "BYTES", default_value_t = 33_554_432)]
    pub recent_bytes: u32,

    /// Seconds that a client may take over its request head, or over its body.
    #[arg(long, env = "CARILLON_REQUEST_TIMEOUT_SECONDS", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub request_timeout_seconds: u32,

    /// Seconds between two comparisons of every channel's head with its owner's log: the longest
    /// that a lost last event can stay unnoticed.
    #[arg(long, env = "CARILLON_HEADS_INTERVAL_SECONDS", value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=60))]
    pub heads_interval_seconds: u32,

    /// Seconds for which auth may be out of reach before nobody is let in any more, since a
    /// revocation could have been missed.
    #[arg(long, env = "CARILLON_ACCESS_GRACE_SECONDS", value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=86_400))]
    pub access_grace_seconds: u32,

    /// Seconds over which clients are sent elsewhere when the gateway stops.
    #[arg(long, env = "CARILLON_DRAIN_SECONDS", value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub drain_seconds: u32,

    /// Whether deliveries are counted and timed. Without that, the benchmark can tell what it costs.
    #[arg(long, value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, hide = true)]
    pub instrumentation: bool,

    #[command(flatten, next_help_heading = "Limits")]
    #[allow(missing_docs)]
    pub limits: LimitArgs,

    #[command(flatten, next_help_heading = "Whose tokens are accepted")]
    #[allow(missing_docs)]
    pub issuers: IssuerArgs,

    #[command(flatten, next_help_heading = "Files")]
    #[allow(missing_docs)]
    pub blobs: BlobArgs,
}

impl Args {
    /// Whether other machines can't reach it.
    pub fn is_loopback(&self) -> bool {
        let beside = self.tls.tls_listen.is_none_or(|address| address.ip().is_loopback());
        self.listen.ip().is_loopback() && beside
    }

    /// How many workers to run.
    pub(crate) fn worker_count(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        }
    }

    /// Whether a gateway could start with these options, as far as they alone can tell.
    ///
    /// # Errors
    /// Options that contradict each other.
    pub fn validate(&self) -> anyhow::Result<()> {
        self.settings()?;
        self.bounds()?;
        self.tls.files()?;
        self.issuers.verifier(&carillon_bus::Bus::in_process())?;
        Ok(())
    }

    fn serves_console(&self) -> bool {
        self.console.unwrap_or(self.limits.mode_or(Mode::Production) == Mode::Development)
    }

    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let bytes = |count: u32| usize::try_from(count).context("a size in bytes");
        Ok(Settings {
            allowed_hosts: self.allowed_hosts.parse()?,
            cors_origins: self.cors_origins.clone(),
            quotas: self.limits.quotas(Mode::Production),
            proxies: Proxies {
                trusted: self.trusted_proxies.clone(),
                header: self.forwarded_header,
                speak_proxy_protocol: self.proxy_protocol,
            },
            anonymous: self.allow_anonymous.clone().unwrap_or_default(),
            dialect: self.default_dialect,
            refuse_with_http: self.refuse_with_http,
            console: self.serves_console(),
            ignore_traceparent: self.ignore_traceparent,
            frame_bytes: bytes(self.frame_bytes)?,
            binary_frame_bytes: bytes(self.binary_frame_bytes)?,
            binary_bytes_per_minute: self.binary_bytes_per_minute.into(),
            compression: self.compression,
            body_bytes: bytes(self.body_bytes)?,
            request_timeout: seconds(self.request_timeout_seconds),
        })
    }

    pub(crate) fn bounds(&self) -> anyhow::Result<Bounds> {
        Ok(Bounds {
            queue_bytes: usize::try_from(self.queue_bytes).context("a size in bytes")?,
            slow_consumers: slow_consumer::each_once(&self.slow_consumer)?,
            compressed_bytes: usize::try_from(self.compression_min_bytes).context("a size in bytes")?,
            heartbeat_seconds: self.heartbeat_seconds,
            write_seconds: self.write_timeout_seconds,
            expiry_warning_seconds: self.expiry_warning_seconds,
            leeway_seconds: self.issuers.token_leeway_seconds,
            instrumentation: self.instrumentation,
        })
    }
}

pub(crate) fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

fn dialect(name: &str) -> Result<Dialect, String> {
    Dialect::named(name).ok_or_else(|| format!("one of {}", Dialect::ALL.map(Dialect::as_str).join(", ")))
}

/// Only what could allow anonymous callers can be listed: a misspelt name would be a door left shut.
fn anonymous_name(name: &str) -> Result<String, String> {
    let endpoints = ENDPOINTS.iter().filter(|endpoint| endpoint.anonymous).map(|endpoint| endpoint.name);
    let routes = ROUTES.iter().filter(|route| route.access == carillon_contract::Access::Anonymous);
    let mut names: Vec<&str> = endpoints.chain(routes.map(|route| route.name)).collect();
    names.extend(["all", "none"]);
    if names.contains(&name) { Ok(name.to_owned()) } else { Err(format!("one of {}", names.join(", "))) }
}
