//! Users, organisations, projects, memberships, tokens, keys, revocation and blocks.
//!
//! Every replica answers every request: what it knows is in the database, and whatever others have
//! to learn of (a revocation, an ended membership, a new key) is a durable event of channel `access`.

mod answers;
mod api;
mod args;
mod auth;
mod blocks;
mod bootstrap;
mod counter;
mod demo;
mod effects;
mod keys;
mod lifetimes;
mod login_limits;
mod maintenance;
mod members;
mod metrics;
mod mint;
mod new_user;
mod outbox;
mod passwords;
mod projects;
mod random;
mod resources;
mod revocations;
mod service;
mod service_tokens;
mod tokens;
mod user_name;
mod users;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use carillon_contract::ServiceName;
use carillon_service::{Publisher, Shell};
use carillon_store::{Log, Migration, Outbox, Retention};

pub use args::{Args, BootstrapArgs, Demo, LoginArgs, TokenArgs};
pub use mint::Mint;
pub use service_tokens::SCOPES;

use crate::{
    auth::Auth, keys::Keys, lifetimes::Lifetimes, login_limits::LoginLimits, metrics::Metrics,
    passwords::Passwords, user_name::UserNames,
};

/// The steps from an empty database to this version's.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "auth", sql: include_str!("../migrations/0001_auth.sql") },
    Migration { version: 2, name: "block", sql: include_str!("../migrations/0002_block.sql") },
];

/// A gateway that was away for longer asks for everything anew.
const RETENTION: Retention = Retention { age: Duration::from_secs(7 * 24 * 60 * 60), count: 100_000 };

/// Runs the service until the shell's shutdown.
///
/// # Errors
/// What it can't start without: a database that refuses, a bootstrap admin without a password.
pub async fn run(args: Args, shell: Shell) -> anyhow::Result<()> {
    let auth = Arc::new(open(&args, &shell).await?);
    match args.demo {
        Demo::Make => demo::make(&auth).await.context("making the demo's users")?,
        Demo::Leave => {}
        Demo::Refuse => demo::refuse(&auth).await?,
    }
    bootstrap::make_admin(&auth, &args.bootstrap).await?;
    // Ends with serving, also when that has failed: nothing outlives it.
    let stop = shell.shutdown.child_token();
    let deliveries = tokio::spawn(outbox::run(auth.clone(), shell.bus.clone(), stop.clone()));
    let maintenance = tokio::spawn(maintenance::run(auth.clone(), stop.clone()));
    let served = shell.serve(auth).await;
    stop.cancel();
    deliveries.await.context("delivering what is owed")?;
    maintenance.await.context("maintenance")?;
    served
}

async fn open(args: &Args, shell: &Shell) -> anyhow::Result<Auth> {
    let database = shell.open_database(&args.database, ServiceName::Auth, MIGRATIONS).await?;
    database.register_metrics(&shell.metrics)?;
    Ok(Auth {
        log: Log::open(database.clone(), RETENTION).await?,
        outbox: Outbox::new(database.clone()),
        publisher: Publisher::new(shell.bus.clone()),
        keys: Keys::open(database.clone()).await.context("the signing keys")?,
        passwords: Passwords::new().await?,
        limits: LoginLimits::new(database.clone(), &args.logins),
        lifetimes: Lifetimes::new(&args.tokens),
        names: UserNames::new(&args.bare_ids),
        metrics: Metrics::new(&shell.metrics)?,
        database,
    })
}
