//! The system itself: what every gateway counts, added up over all of them, their open connections, and how everything
//! does ([`health`]).
//!
//! Gateways tell what they have counted since they started, once a second. Every replica hears all of them
//! ([`hearing`]) and keeps their latest reports in memory ([`cluster`]), so any replica answers any question
//! ([`routes`]). Each also writes what it hears into the database ([`keeping`]), which several can do without
//! counting anything twice: a report says it all, and of two the later one counts.

mod args;
mod cluster;
mod health;
mod hearing;
mod keeping;
mod metrics;
mod routes;
mod service;

use std::sync::Arc;

use anyhow::Context;
use carillon_contract::ServiceName;
use carillon_service::Shell;
use carillon_store::{Database, Log, Migration};

pub use args::{Args, SettingsArgs};

use cluster::Cluster;
use health::{Health, Watch};
use keeping::Keeper;
use metrics::Metrics;
use service::Monitoring;

/// The steps from an empty database to this version's.
pub static MIGRATIONS: [Migration; 1] =
    [Migration { version: 1, name: "traffic", sql: include_str!("../migrations/0001_traffic.sql") }];

/// Serves figures until the shell's shutdown.
///
/// # Errors
/// A database that refuses, or a shutdown before everything was there.
pub async fn run(args: Args, shell: Shell) -> anyhow::Result<()> {
    let database = shell.open_database(&args.database, ServiceName::Metrics, &MIGRATIONS).await?;
    database.register_metrics(&shell.metrics)?;
    let served = serve(&args.settings, &shell, &database).await;
    database.close().await;
    served
}

async fn serve(settings: &SettingsArgs, shell: &Shell, database: &Database) -> anyhow::Result<()> {
    let log = Log::open(database.clone(), settings.log()).await.context("opening the event log")?;
    let metrics = Metrics::new(&shell.metrics)?;
    let cluster = Arc::new(Cluster::new(settings));
    let hearing = hearing::start(shell, &cluster, &metrics);
    let keeper = Keeper::new(shell, database, &cluster, &metrics, settings);
    keeper.load().await.context("reading what is kept")?;
    let keeping = tokio::spawn(keeper.run(shell.shutdown.clone()));
    let health = Health::new(shell, &cluster);
    let watching = tokio::spawn(Watch::new(shell, &health, log.epoch()).run());
    let service = Monitoring::new(shell.bus.clone(), log, cluster, health, hearing.gathered());
    let served = shell.serve(Arc::new(service)).await;
    watching.await.context("watching the system")?;
    // What was heard last, before it stopped, is kept as well.
    hearing.finish().await?;
    keeping.await.context("keeping what was heard")?.finish().await;
    served
}
