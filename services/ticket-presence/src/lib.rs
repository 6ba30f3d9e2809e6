//! Projects: tickets, comments, who is there, and the projects' own events.
//!
//! - [`session`] opens and ends sessions at the projects' endpoints; [`access`] says who may;
//! - [`writing`] is the one write path: a change of [`tickets`], [`comments`] or [`statuses`], or a back
//!   end's own event ([`events`]), is one transaction with the event that tells of it, its entry in the
//!   ticket's [`activity`] log, and the notifications that it owes ([`notices`]);
//! - [`presence`] is who is in a project, which ticket they are viewing, and where they are typing.

mod access;
mod activity;
mod args;
mod channels;
mod comments;
mod events;
mod mentions;
mod metrics;
mod notices;
mod page;
mod people;
mod presence;
mod projects;
mod pruner;
mod service;
mod session;
mod statuses;
mod tickets;
mod writing;

use std::sync::Arc;

use anyhow::Context;
use carillon_contract::ServiceName;
use carillon_service::Shell;
use carillon_store::{Log, Migration};

pub use args::{Args, SettingsArgs};
pub use presence::PresenceArgs;

use service::Projects;

/// The steps from an empty database to this version's.
pub static MIGRATIONS: [Migration; 2] = [
    Migration { version: 1, name: "presence", sql: carillon_presence::SCHEMA },
    Migration { version: 2, name: "tickets", sql: include_str!("../migrations/0002_tickets.sql") },
];

/// Serves projects until the shell's shutdown.
///
/// # Errors
/// A database that refuses, or a shutdown before everything was there.
pub async fn run(args: Args, shell: Shell) -> anyhow::Result<()> {
    let database = shell.open_database(&args.database, ServiceName::TicketPresence, &MIGRATIONS).await?;
    database.register_metrics(&shell.metrics)?;
    let log = Log::open(database.clone(), args.settings.log()).await.context("opening the event log")?;
    let service = Arc::new(Projects::new(&shell, database.clone(), log, &args.settings)?);
    let served = shell.serve_beside(service.clone(), |stop| service.work(stop)).await;
    database.close().await;
    served
}
