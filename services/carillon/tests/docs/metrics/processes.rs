//! Every process of a cluster, inside this one: each with a registry of its own.

use std::{future::Future, path::Path, time::Duration};

use anyhow::{Context, ensure};
use carillon_bus::Bus;
use carillon_instruments::Instrument;
use carillon_service::{Shell, measure_process};
use clap::{Args, Command};
use tempfile::TempDir;
use tokio::time::timeout;

/// How long one may take to become ready, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process, and what it measures.
pub(crate) struct Process {
    /// Its name; `None`: what every one of them measures.
    pub(crate) name: Option<&'static str>,
    pub(crate) instruments: Vec<Instrument>,
}

/// Starts them all, and asks each what it measures once it is ready. They end with this test.
pub(crate) async fn every_process() -> anyhow::Result<Vec<Process>> {
    let (bus, directory) = (Bus::in_process(), tempfile::tempdir()?);
    let own = Shell::new(bus.clone());
    measure_process(&own, "any", own.shutdown.clone())?;
    bus.register_metrics(&own.metrics)?;
    let _tracing = carillon_trace::start("any", &own.metrics);
    let mut processes = vec![Process { name: None, instruments: own.metrics.instruments() }];
    let database = |service: &str| database(&directory, service);
    for process in [
        start(&bus, "auth", carillon_auth::run, &database("auth")).await?,
        start(&bus, "notification", carillon_notification::run, &database("notification")).await?,
        start(&bus, "chat", carillon_chat::run, &database("chat")).await?,
        start(&bus, "ticket-presence", carillon_ticket_presence::run, &database("ticket-presence")).await?,
        start(&bus, "metrics", carillon_metrics::run, &database("metrics")).await?,
        // Last, since it is ready when auth has answered it.
        start(&bus, "gateway", carillon_gateway::run, &["--listen", "127.0.0.1:0", "--workers", "1"]).await?,
    ] {
        processes.push(process);
    }
    Ok(processes)
}

async fn start<A, F, Fut, W>(bus: &Bus, name: &'static str, run: F, words: &[W]) -> anyhow::Result<Process>
where
    A: Args,
    F: FnOnce(A, Shell) -> Fut,
    Fut: Future<Output = anyhow::Result<()>> + 'static,
    W: AsRef<str>,
{
    let command = A::augment_args(Command::new(name).no_binary_name(true));
    let matches = command.try_get_matches_from(words.iter().map(AsRef::as_ref))?;
    let shell = Shell::new(bus.clone());
    let starting = shell.readiness.register(name);
    actix_rt::spawn(run(A::from_arg_matches(&matches)?, shell.clone()));
    let ready = async {
        while !shell.readiness.failures().await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, ready).await.with_context(|| format!("{name} does not become ready"))?;
    drop(starting);
    let instruments = shell.metrics.instruments();
    ensure!(!instruments.is_empty(), "{name} measures nothing");
    Ok(Process { name: Some(name), instruments })
}

fn database(directory: &TempDir, service: &str) -> [String; 2] {
    let file: &Path = &directory.path().join(service).with_extension("db");
    ["--database-url".to_owned(), format!("sqlite:{}", file.display())]
}
