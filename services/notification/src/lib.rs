//! Notifications: what users are sent, their inboxes, and the events of organisations.
//!
//! A notification is stored in its user's inbox and in the event log by one transaction, published
//! once that is committed, and only then acknowledged. Concurrent requests share transactions
//! (`delivery`). What goes to everyone is stored once, and copied into an inbox when it is next
//! used (`inbox`).

mod args;
mod content;
mod delivery;
mod fields;
mod frame;
mod inbox;
mod metrics;
mod org_event;
mod organisation;
mod retention;
mod routes;
mod send;
mod service;
mod session;
mod values;

use std::sync::Arc;

use anyhow::Context;
use carillon_contract::ServiceName;
use carillon_service::Shell;
use carillon_store::{Log, Migration};

pub use args::{Args, RetentionArgs};
pub use content::USER_NOTIFICATION_TYPES;
pub use org_event::ORG_EVENT_TYPES;

use service::Notification;

/// The steps from an empty database to this version's.
pub static MIGRATIONS: [Migration; 1] =
    [Migration { version: 1, name: "inbox", sql: include_str!("../migrations/0001_inbox.sql") }];

/// Serves notifications until the shell's shutdown.
///
/// # Errors
/// A database that refuses, or a shutdown before everything was there.
pub async fn run(args: Args, shell: Shell) -> anyhow::Result<()> {
    let database = shell.open_database(&args.database, ServiceName::Notification, &MIGRATIONS).await?;
    database.register_metrics(&shell.metrics)?;
    let log = Log::open(database.clone(), args.retention.log()).await.context("opening the event log")?;
    let service = Arc::new(Notification::new(&shell, database.clone(), log, &args.retention)?);
    let pruner = service.pruner(&args.retention);
    let served = shell.serve_beside(service, |stop| pruner.run(stop)).await;
    database.close().await;
    served
}
