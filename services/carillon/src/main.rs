//! One binary: `carillon up` runs every service in one process.

mod banner;
mod files;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// A real-time tier for web applications.
#[derive(Parser)]
#[command(name = "carillon", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every service in this one process, on SQLite and without any other software.
    Up(Box<up::Args>),
}

fn main() -> ExitCode {
    // On a laptop there is nowhere to send clients to: it stops at once.
    let command = CommandLine::command()
        .mut_subcommand("up", |up| up.mut_arg("drain_seconds", |drain| drain.default_value("0")));
    let arguments =
        CommandLine::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    match arguments.command {
        Command::Up(arguments) => carillon_service::block_on(up::run(*arguments)),
    }
}
