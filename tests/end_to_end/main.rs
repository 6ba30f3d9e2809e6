//! What the documents promise, through real sockets, against both forms in which Carillon runs.
//!
//! Each promise (`requirements.md`) is a function that names its id, in the file of its document, and is
//! registered once; it becomes two trials, `one-process/…` and `cluster/…`, on deployments that
//! all trials share. A test that kills something, or wants other options, registers with `own_cluster` or
//! `own_process` and gets its own.

mod checks;
mod conversations;
mod events;
mod operations;
mod project_management;
mod rooms;
mod suite;
mod survival;
mod ticketing;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut suite = suite::Suite::new();
    project_management::register(&mut suite);
    events::register(&mut suite);
    rooms::register(&mut suite);
    ticketing::register(&mut suite);
    conversations::register(&mut suite);
    operations::register(&mut suite);
    survival::register(&mut suite);
    suite.run(Arguments::from_args())
}
