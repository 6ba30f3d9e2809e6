//! What commands print: tables and lines for people, JSON for programs.

mod colour;
mod table;
mod verdict;

use std::io::{self, Write};

use serde::Serialize;

pub(crate) use colour::Colour;
pub(crate) use table::Table;
pub(crate) use verdict::{Usage, Verdict, run};

/// How a command answers.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct OutputArgs {
    /// Print JSON, which stays as it is from version to version: one object, or one in each line of
    /// what streams. What is for people goes to standard error then, or nowhere.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints a line to standard output, at once.
///
/// # Errors
/// A reader that has gone.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Prints an object as one line of JSON.
///
/// # Errors
/// As [`line`].
pub(crate) fn object(value: &impl Serialize) -> io::Result<()> {
    line(&serde_json::to_string(value)?)
}

/// A duration in milliseconds, as JSON has it: three decimals are microseconds.
pub(crate) fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}
