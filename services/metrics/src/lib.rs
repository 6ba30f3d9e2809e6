//! The system itself: what every gateway counts, added up over all of them, and their open connections.
//!
//! Gateways tell what they have counted since they started, once a second. Every replica hears all of them, so any of
//! them answers any question, and each keeps what it hears in the database, which two of them can do without
//! counting anything twice: it is always the same numbers.

mod args;
mod service;

use std::sync::Arc;

use anyhow::Context;
use carillon_contract::ServiceName;
use carillon_service::Shell;
use carillon_store::{Log, Migration};

pub use args::{Args, SettingsArgs};

use service::Metrics;

static MIGRATIONS: [Migration; 1] =
    [Migration { version: 1, name: "traffic", sql: include_str!("../migrations/0001_traffic.sql") }];

/// Serves figures until the shell's shutdown.
///
/// # Errors
/// A database that refuses, or a shutdown before everything was there.
pub async fn run(args: Args, shell: Shell) -> anyhow::Result<()> {
    let database = shell.open_database(&args.database, ServiceName::Metrics, &MIGRATIONS).await?;
    database.register_metrics(&shell.metrics)?;
    let log = Log::open(database.clone(), args.settings.log()).await.context("opening the event log")?;
    let service = Arc::new(Metrics::new(log));
    let served = shell.serve(service).await;
    database.close().await;
    served
}
