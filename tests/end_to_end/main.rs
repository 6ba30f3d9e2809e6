//! What the documents promise, through real sockets, against both forms in which Carillon runs.
//!
//! Each promise (`requirements.md`) is an async function that names its id, in the file of its document. Listed in that
//! file's `both!`, it becomes two trials, `one-process/…` and `cluster/…`, on deployments that all trials share: so it
//! makes users, organisations and names of its own (`Deployment::user`, `org`, `unique`), and passes over
//! frames that others cause (`Socket::next_where`), such as notifications to everyone. Three more sets of options have
//! deployments that tests share: those of `keycloak!`, of `strict!` and of `secure!` (`suite/variants.rs`). A test that kills
//! something, or wants other options, is registered with `own_cluster` or `own_process` and gets its own.
//!
//! `make test-e2e ARGS=s1_05` runs those whose names contain that. When one fails, the end of what each process
//! logged meanwhile is shown.

mod access;
mod attachments;
mod backup;
mod blocks;
mod channels;
mod chat_rooms;
mod checks;
mod clients;
mod collaboration;
mod commands;
mod compression;
mod content;
mod conversations;
mod conversations_chat;
mod counters;
mod dialects;
mod event_streams;
mod events;
mod expiry;
mod frames;
mod http;
mod identity;
mod inbox;
mod limits;
mod missed;
mod monitoring;
mod nginx;
mod operations;
mod organisations;
mod origins;
mod permissions;
mod project_management;
mod projects;
mod protocol;
mod proxies;
mod refusals;
mod restart;
mod revocation;
mod rooms;
mod secrecy;
mod sending;
mod shared_documents;
mod storable;
mod suite;
mod survival;
mod system_health;
mod ticketing;
mod tls;
mod traces;
mod traffic;
mod units;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut suite = suite::Suite::new();
    project_management::register(&mut suite);
    events::register(&mut suite);
    rooms::register(&mut suite);
    chat_rooms::register(&mut suite);
    event_streams::register(&mut suite);
    shared_documents::register(&mut suite);
    counters::register(&mut suite);
    collaboration::register(&mut suite);
    access::register(&mut suite);
    ticketing::register(&mut suite);
    projects::register(&mut suite);
    conversations::register(&mut suite);
    attachments::register(&mut suite);
    conversations_chat::register(&mut suite);
    origins::register(&mut suite);
    proxies::register(&mut suite);
    nginx::register(&mut suite);
    units::register(&mut suite);
    blocks::register(&mut suite);
    limits::register(&mut suite);
    compression::register(&mut suite);
    organisations::register(&mut suite);
    identity::register(&mut suite);
    refusals::register(&mut suite);
    expiry::register(&mut suite);
    dialects::register(&mut suite);
    sending::register(&mut suite);
    content::register(&mut suite);
    inbox::register(&mut suite);
    missed::register(&mut suite);
    revocation::register(&mut suite);
    frames::register(&mut suite);
    protocol::register(&mut suite);
    channels::register(&mut suite);
    http::register(&mut suite);
    permissions::register(&mut suite);
    storable::register(&mut suite);
    secrecy::register(&mut suite);
    traffic::register(&mut suite);
    monitoring::register(&mut suite);
    traces::register(&mut suite);
    clients::register(&mut suite);
    restart::register(&mut suite);
    backup::register(&mut suite);
    operations::register(&mut suite);
    commands::register(&mut suite);
    system_health::register(&mut suite);
    tls::register(&mut suite);
    survival::register(&mut suite);
    suite.run(Arguments::from_args())
}
