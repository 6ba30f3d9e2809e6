//! Carillon as its clients and operators see it, for tests and for `make cluster`.
//!
//! Real processes, a real NATS server and a real Postgres, each on free ports with private directories, none of
//! which outlives the process that started it; and clients that wait for what they expect with a deadline.

mod authority;
mod collector;
mod deployment;
mod http;
mod nats;
mod nats_proxy;
mod nginx;
mod postgres;
mod process;
pub mod service;
mod tokens;
mod tunnel;
mod websocket;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

pub use authority::{Authority, Issued};
pub use collector::{CollectedSpan, Collector};
pub use deployment::{Cluster, Deployment, Form, Gateway, JWT_SECRET, OneProcess, Options, Processes};
pub use http::{ADMIN, Admin, Api, PASSWORD, Project, Reply, ServiceToken, User, log_in, send};
pub use nats::Nats;
pub use nats_proxy::NatsProxy;
pub use nginx::Nginx;
pub use postgres::{Durability, Postgres};
pub use process::{Marks, Supervisor, carillon, program};
pub use tokens::{IdentityProvider, Key, hs256, keycloak_claims, now, simple_jwt_claims, token, unsigned};
pub use tunnel::Tunnel;
pub use websocket::{Handshake, Position, Refusal, Socket};

/// The longest that a client waits for anything that is bound to come, on a machine that is busy with other tests.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A name that no other test uses: tests share deployments.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
