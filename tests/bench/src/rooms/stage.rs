//! What is measured: Carillon as people run it, with its database on this machine.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use carillon_testkit::{Cluster, Deployment, Durability, OneProcess, Options, Processes};
use clap::ValueEnum;
use serde::Serialize;

use crate::{accounts, metrics};

/// The longest that presence may take to have counted everybody.
const PATIENCE: Duration = Duration::from_secs(20);

/// The forms in which Carillon runs, each with its database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Engine {
    /// `carillon up`: one process, on SQLite.
    Sqlite,
    /// A gateway, auth and chat, each a process, on NATS and Postgres.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        })
    }
}

/// A running Carillon.
pub(crate) enum Stage {
    OneProcess(OneProcess),
    Cluster(Cluster),
}

impl Stage {
    /// Starts a fresh one, its database as durable as in production.
    ///
    /// # Errors
    /// Something that isn't built or installed, or doesn't become ready.
    pub(crate) async fn start(engine: Engine, replicas: usize) -> Result<Self> {
        let options = Options {
            durability: Durability::Disk,
            processes: Processes { services: &["auth", "chat"], replicas, second_gateway: false },
            // A crowd that waits for its turn answers no pings.
            gateway_arguments: vec!["--heartbeat-seconds".to_owned(), "3600".to_owned()],
            // What is removed belongs to another minute, and would fall into one measurement of many.
            environment: vec![
                ("CARILLON_CHAT_PRUNE_EVERY".to_owned(), "1h".to_owned()),
                ("CARILLON_LOG".to_owned(), "warn".to_owned()),
                // Counted, and out of reach.
                ("MAX_MESSAGES_PER_MINUTE".to_owned(), "1000000000".to_owned()),
            ],
            ..Options::default()
        };
        Ok(match engine {
            Engine::Sqlite => Self::OneProcess(OneProcess::start(options).await?),
            Engine::Postgres => Self::Cluster(Cluster::start(options).await?),
        })
    }

    pub(crate) fn deployment(&self) -> &Deployment {
        match self {
            Self::OneProcess(process) => process.deployment(),
            Self::Cluster(cluster) => cluster.deployment(),
        }
    }

    /// Where clients connect to.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        address(&self.deployment().gateways()[0].http)
    }

    /// CPU seconds of each process so far.
    pub(crate) fn cpu(&self) -> Result<BTreeMap<String, f64>> {
        let deployment = self.deployment();
        let accounts = |name: String| {
            let process = deployment.supervisor().id(&name)?;
            Ok((name, accounts::family_cpu_seconds(process)?))
        };
        deployment.processes().into_iter().map(accounts).collect()
    }

    /// The sum of a figure of chat over its replicas.
    pub(crate) fn figure(&self, name: &str) -> Result<f64> {
        let deployment = self.deployment();
        let mut sum = 0.0;
        for process in deployment.processes() {
            if process == OneProcess::NAME || process.starts_with("chat") {
                let operations = address(&deployment.supervisor().operations(&process)?)?;
                sum += metrics::sum(&metrics::scrape(operations)?, name, "service=\"chat\"");
            }
        }
        Ok(sum)
    }

    /// Waits until the writes of chat that follow on something have come to an end.
    ///
    /// # Errors
    /// If they don't.
    pub(crate) fn settle(&self) -> Result<()> {
        let (mut before, since) = (-1.0, Instant::now());
        loop {
            let now = self.figure("carillon_store_append_seconds_count")?;
            if now == before || since.elapsed() > PATIENCE {
                return Ok(());
            }
            before = now;
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    /// The end of each process's log, for whoever has to find out what went wrong.
    pub(crate) fn last_words(&self) -> String {
        let supervisor = self.deployment().supervisor();
        let logs = |name: String| std::fs::read_to_string(supervisor.directory().join(format!("{name}.log")));
        let logs = self.deployment().processes().into_iter().filter_map(|name| logs(name).ok());
        let lines: Vec<String> = logs.flat_map(|log| last_lines(&log)).collect();
        format!("the logs end with:\n{}\n", lines.join("\n"))
    }
}

fn last_lines(log: &str) -> Vec<String> {
    let mut lines: Vec<String> = log.lines().rev().take(8).map(str::to_owned).collect();
    lines.reverse();
    lines
}

/// `http://127.0.0.1:8000` as an address.
fn address(url: &str) -> Result<SocketAddr> {
    let address = url.trim_start_matches("http://");
    address.parse().with_context(|| format!("no address: {url}"))
}
