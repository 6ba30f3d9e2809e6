//! One engine: Carillon and the floor in turns, for each shape.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use carillon_testkit::Postgres;
use serde::Serialize;
use sqlx::{AnyConnection, Connection as _};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::{
    Arguments,
    crowd::Crowd,
    report::EngineReport,
    shape::Shape,
    stage::{Engine, Stage},
    writes::{Floor, Means},
};
use crate::accounts;

/// Caches, statements and sockets get so long before each measurement.
const WARM_UP: Duration = Duration::from_millis(500);
const THOUSAND: f64 = 1_000.0;

/// What one turn of each has shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Round {
    /// Messages per second that the floor stored, one transaction each.
    pub(crate) plain: f64,
    /// The same with group commit.
    pub(crate) grouped: f64,
    pub(crate) carillon: Served,
}

/// What Carillon did with a crowd.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Served {
    pub(crate) messages: u64,
    /// Stored, and delivered to everybody in their rooms.
    pub(crate) messages_per_second: f64,
    pub(crate) deliveries_per_second: f64,
    /// From sending to hearing, in milliseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// How many messages shared a transaction, on average.
    pub(crate) messages_per_transaction: f64,
    /// CPU seconds, user and system, per thousand messages, of each process, the load client's too.
    pub(crate) cpu: BTreeMap<String, f64>,
}

/// The load client among the processes.
pub(crate) const CLIENT: &str = "load client";

struct Reading {
    at: Instant,
    cpu: BTreeMap<String, f64>,
    batches: f64,
    items: f64,
}

/// Measures one engine, and all shapes on it.
///
/// # Errors
/// Whatever goes wrong, with the ends of the servers' logs.
pub(super) fn measure(runtime: &Runtime, engine: Engine, arguments: &Arguments) -> Result<EngineReport> {
    let stage = runtime.block_on(Stage::start(engine, arguments.replicas))?;
    let shapes = measured(runtime, &stage, engine, arguments).with_context(|| stage.last_words())?;
    Ok(EngineReport { engine, shapes })
}

fn measured(
    runtime: &Runtime,
    stage: &Stage,
    engine: Engine,
    arguments: &Arguments,
) -> Result<Vec<(Shape, Vec<Round>)>> {
    let directory = TempDir::new()?;
    let floor = Floor::open(&floor_url(runtime, stage, &directory)?).context("the floor's database")?;
    let connect = |shape: &Shape| Crowd::connect(stage.address()?, *shape, arguments.manner(*shape));
    let mut crowds: Vec<Crowd> = arguments.shapes.iter().map(connect).collect::<Result<_>>()?;
    stage.settle()?;
    let mut shapes: Vec<_> = arguments.shapes.iter().map(|shape| (*shape, Vec::new())).collect();
    for pair in 1..=arguments.pairs {
        for ((shape, rounds), crowd) in shapes.iter_mut().zip(&mut crowds) {
            eprintln!("{engine}, {shape}, pair {pair} of {}", arguments.pairs);
            let write = |means| floor.measure(means, *shape, arguments.manner(*shape), arguments.period());
            let (plain, grouped) = (write(Means::Plain)?, write(Means::Grouped)?);
            rounds.push(Round { plain, grouped, carillon: serve(stage, crowd, arguments.period())? });
        }
    }
    Ok(shapes)
}

/// Where the floor writes: on the same server, or the same disk.
fn floor_url(runtime: &Runtime, stage: &Stage, directory: &TempDir) -> Result<String> {
    match stage {
        Stage::OneProcess(_) => Ok(format!("sqlite:{}", directory.path().join("floor.db").display())),
        Stage::Cluster(cluster) => runtime.block_on(create_database(cluster.postgres())),
    }
}

async fn create_database(postgres: &Postgres) -> Result<String> {
    const NAME: &str = "floor";
    sqlx::any::install_default_drivers();
    let url = postgres.url();
    let mut connection = AnyConnection::connect(&url).await?;
    sqlx::raw_sql("CREATE DATABASE floor").execute(&mut connection).await?;
    connection.close().await?;
    let (server, _) = url.rsplit_once('/').context("a URL with a database")?;
    Ok(format!("{server}/{NAME}"))
}

fn serve(stage: &Stage, crowd: &mut Crowd, period: Duration) -> Result<Served> {
    crowd.begin()?;
    crowd.converse(WARM_UP)?;
    let start = read(stage)?;
    let tally = crowd.converse(period)?;
    let end = read(stage)?;
    let latency = |quantile| crowd.hall.latency.value_at_quantile(quantile) as f64 / 1_000_000.0;
    let (p50, p99) = (latency(0.5), latency(0.99));
    crowd.end()?;
    let seconds = (end.at - start.at).as_secs_f64();
    let messages = tally.messages as f64;
    let used = |(name, cpu): (String, f64)| {
        let before = start.cpu.get(&name).copied().unwrap_or_default();
        (name, (cpu - before) / messages * THOUSAND)
    };
    Ok(Served {
        messages: tally.messages,
        messages_per_second: messages / seconds,
        deliveries_per_second: tally.deliveries as f64 / seconds,
        p50,
        p99,
        messages_per_transaction: (end.items - start.items) / (end.batches - start.batches),
        cpu: end.cpu.into_iter().map(used).collect(),
    })
}

fn read(stage: &Stage) -> Result<Reading> {
    let mut cpu = stage.cpu()?;
    cpu.insert(CLIENT.to_owned(), accounts::cpu_seconds(std::process::id())?);
    let batches = stage.figure("carillon_store_group_commit_items_count")?;
    let items = stage.figure("carillon_store_group_commit_items_sum")?;
    Ok(Reading { at: Instant::now(), cpu, batches, items })
}
