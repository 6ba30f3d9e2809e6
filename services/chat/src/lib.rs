//! Rooms: chat rooms, conversations, collaboration rooms, documents and counters.
//!
//! - [`session`] opens and ends sessions at all of them: who may enter ([`access`]), who is there
//!   ([`attendance`]), and what a newcomer is told;
//! - [`messages`] is the write path that chat rooms ([`rooms`]) and [`conversations`] share;
//!   [`attachments`] are the files that messages carry;
//! - [`collaboration`], [`documents`] and [`counters`] each have a write path of their own;
//! - [`groups`] are what back ends tell each other.

mod access;
mod admission;
mod args;
mod attachments;
mod attendance;
mod collaboration;
mod conversations;
mod counters;
mod documents;
mod groups;
mod messages;
mod pruner;
mod reply;
mod rooms;
mod service;
mod session;
mod visitor;

use std::sync::Arc;

use anyhow::Context;
use carillon_contract::ServiceName;
use carillon_service::Shell;
use carillon_store::{Log, Migration};

pub use access::{AccessArgs, RoomAccess};
pub use args::{Args, SettingsArgs};
pub use attachments::AttachmentArgs;
pub use collaboration::CollaborationArgs;
pub use conversations::ConversationArgs;
pub use documents::DocumentsArgs;

use service::Chat;

/// The steps from an empty database to this version's.
pub static MIGRATIONS: [Migration; 7] = [
    Migration { version: 1, name: "presence", sql: carillon_presence::SCHEMA },
    Migration { version: 2, name: "messages", sql: include_str!("../migrations/0002_messages.sql") },
    Migration {
        version: 3,
        name: "conversations",
        sql: include_str!("../migrations/0003_conversations.sql"),
    },
    Migration { version: 4, name: "access", sql: include_str!("../migrations/0004_access.sql") },
    Migration { version: 5, name: "counters", sql: include_str!("../migrations/0005_counters.sql") },
    Migration { version: 6, name: "documents", sql: include_str!("../migrations/0006_documents.sql") },
    Migration { version: 7, name: "attachments", sql: include_str!("../migrations/0007_attachments.sql") },
];

/// Serves rooms until the shell's shutdown.
///
/// # Errors
/// A database that refuses, or a shutdown before everything was there.
pub async fn run(args: Args, shell: Shell) -> anyhow::Result<()> {
    let database = shell.open_database(&args.database, ServiceName::Chat, &MIGRATIONS).await?;
    database.register_metrics(&shell.metrics)?;
    let log = Log::open(database.clone(), args.settings.log()).await.context("opening the event log")?;
    let blobs = args.blobs.open()?;
    let service = Arc::new(Chat::new(&shell, database.clone(), log, blobs, &args.settings)?);
    let served = shell.serve_beside(service.clone(), |stop| service.work(stop)).await;
    database.close().await;
    served
}
