//! How a command ends: its exit code.

use std::{
    future::Future,
    io::{self, ErrorKind},
    process::ExitCode,
};

use anyhow::Context;

/// The exit code of what was asked for wrongly, as clap has it.
const USAGE: u8 = 2;

/// What a command has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All is as it should be: exit code 0.
    Good,
    /// It isn't; the command has said what: exit code 1.
    Bad,
}

/// A command line that can't be carried out, whatever it is run against: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

impl From<bool> for Verdict {
    fn from(good: bool) -> Self {
        if good { Self::Good } else { Self::Bad }
    }
}

/// Runs a command. What it fails with goes to standard error, and makes the exit code 1.
pub(crate) fn run(command: impl Future<Output = anyhow::Result<Verdict>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting");
    match runtime.and_then(|runtime| runtime.block_on(command)) {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::Bad) => ExitCode::FAILURE,
        // Whoever reads has enough, as in `carillon tail … | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            if error.is::<Usage>() { ExitCode::from(USAGE) } else { ExitCode::FAILURE }
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
