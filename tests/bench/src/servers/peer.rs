//! The peers: other servers that deliver messages to WebSockets, each as its own documentation has it.

use std::{env, net::TcpListener, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::{
    process::{self, Process},
    server::Kind,
};
use crate::{placement::Placement, servers::server::Started};

/// What installs them.
pub(crate) const INSTALL: &str = "scripts/setup-tests.sh peers";

/// Redis on the path, or where Debian puts servers.
const REDIS: [&str; 2] = ["redis-server", "/usr/bin/redis-server"];

impl Kind {
    /// Whether all that it needs is there.
    pub(crate) fn is_installed(self) -> bool {
        let has = |name: &str| directory().join(name).exists();
        match self {
            Self::Floor | Self::Gateway | Self::Uninstrumented => true,
            Self::Ws => has("node_modules/ws") && find("node").is_some(),
            Self::SocketIo => has("node_modules/socket.io") && find("node").is_some(),
            Self::Channels => has(".venv/bin/uvicorn") && redis().is_some(),
        }
    }
}

/// Starts a peer on the server's core; what it needs beside shares the others.
///
/// # Errors
/// A peer that isn't installed, or doesn't become ready.
pub(super) fn start(kind: Kind, placement: &Placement) -> Result<Started> {
    ensure!(kind.is_installed(), "{} is not installed: {INSTALL} does that", kind.name());
    match kind {
        Kind::Channels => start_channels(placement),
        Kind::SocketIo => start_node("socket_io.js", kind, placement),
        _ => start_node("ws.js", kind, placement),
    }
}

fn start_node(program: &str, kind: Kind, placement: &Placement) -> Result<Started> {
    let mut command = process::command("node");
    command.arg(directory().join(program)).env("NODE_ENV", "production");
    let (process, address) = placement.on_the_servers_core(|| Process::announced(kind.name(), command))?;
    Ok(Started { process, address, behind: Vec::new() })
}

fn start_channels(placement: &Placement) -> Result<Started> {
    let (redis, port) = start_redis()?;
    let mut command = process::command(directory().join(".venv/bin/python"));
    command.arg(directory().join("django_channels.py"));
    command.env("REDIS_URL", format!("redis://127.0.0.1:{port}"));
    let (process, address) =
        placement.on_the_servers_core(|| Process::announced(Kind::Channels.name(), command))?;
    Ok(Started { process, address, behind: vec![redis] })
}

/// It keeps nothing on the disk. Clients retry until it is ready.
fn start_redis() -> Result<(Process, u16)> {
    let directory = TempDir::new()?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command: Command = process::command(redis().context("no redis-server")?);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    let log = directory.path().join("redis.log");
    let redis = Process::logging("redis-server", command, &log)?.keeping(directory);
    Ok((redis.answering(port)?, port))
}

fn redis() -> Option<PathBuf> {
    REDIS.iter().find_map(|name| find(name))
}

fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}

/// Where their programs are, and what they need.
fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers")
}
