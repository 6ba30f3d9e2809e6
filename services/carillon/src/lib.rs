//! One binary: `carillon up` runs every service in one process, and the operator's commands look after
//! a deployment of either form.

mod banner;
mod check;
mod client;
mod connections;
mod data;
mod disconnect;
mod files;
mod hmac_secret;
mod load;
mod migrate;
mod migrations;
mod new_epoch;
mod output;
mod probe;
mod program;
mod publish;
mod ready;
mod signals;
mod tail;
mod token;
mod up;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

/// What the commands have in common, at the end of the help.
const AFTER_HELP: &str = "Exit codes: 0 all is well, 1 it is not (what the command has to say is on standard output, why \
it could not go on is on standard error), 2 it was asked for wrongly. Colour is for terminals, and for none where \
NO_COLOR is set. docs/commands.md shows each command at work.";

/// A real-time tier for web applications.
#[derive(Parser)]
#[command(name = "carillon", version, after_help = AFTER_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every service in this one process, on SQLite and without any other software.
    Up(Box<up::Args>),
    /// Mint a token for a user or for a back end.
    #[command(after_help = AFTER_HELP)]
    Token(Box<token::Args>),
    /// Publish to channels over HTTP, as a back end does.
    #[command(after_help = AFTER_HELP)]
    Publish(Box<publish::Args>),
    /// Show channels' events as they happen, and what was missed.
    #[command(after_help = AFTER_HELP)]
    Tail(Box<tail::Args>),
    /// List who is connected, to any gateway.
    #[command(after_help = AFTER_HELP)]
    Connections(Box<connections::Args>),
    /// Close connections, on whichever gateway they are.
    #[command(after_help = AFTER_HELP)]
    Disconnect(Box<disconnect::Args>),
    /// Verify a deployment's configuration, and all that it stands on. It reads the options and the environment
    /// of the services: run it where they run.
    #[command(after_help = AFTER_HELP)]
    Check(Box<check::Args>),
    /// Take the migrations that databases lack, before services of a new version start.
    #[command(after_help = AFTER_HELP)]
    Migrate(Box<migrate::Args>),
    /// Ask the process beside this one whether it is ready. It is the health check of containers.
    #[command(after_help = AFTER_HELP)]
    Ready(Box<ready::Args>),
    /// Open real connections to every endpoint, and measure handshake, round trip and recovery.
    #[command(after_help = AFTER_HELP)]
    Probe(Box<probe::Args>),
    /// Drive connections and messages, and count losses, order and latency.
    #[command(after_help = AFTER_HELP)]
    Load(Box<load::Args>),
    /// Give restored event logs a new identity, so that clients are told instead of taking new events for old ones.
    /// Run it after a backup was restored and before the services start.
    #[command(after_help = AFTER_HELP)]
    NewEpoch(Box<new_epoch::Args>),
}

/// The command line with everything that it understands.
pub fn command_line() -> clap::Command {
    // On a laptop there is nowhere to send clients to: it stops at once.
    CommandLine::command()
        .mut_subcommand("up", |up| up.mut_arg("drain_seconds", |drain| drain.default_value("0")))
}

/// Does what the command line of this process says.
pub fn main() -> ExitCode {
    if let Some(program) = program::called() {
        return program::run(program);
    }
    let command = command_line();
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let is_check = words.get(1).is_some_and(|word| word == "check");
    let (matches, unreadable) =
        if is_check { check::parse(command, &words) } else { (command.get_matches(), Vec::new()) };
    let arguments = CommandLine::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match arguments.command {
        Command::Up(arguments) => carillon_service::block_on(up::run(*arguments)),
        Command::Token(arguments) => output::run(token::run(*arguments)),
        Command::Publish(arguments) => output::run(publish::run(*arguments)),
        Command::Tail(arguments) => output::run(tail::run(*arguments)),
        Command::Connections(arguments) => output::run(connections::run(*arguments)),
        Command::Disconnect(arguments) => output::run(disconnect::run(*arguments)),
        Command::Check(arguments) => output::run(check::run(*arguments, unreadable)),
        Command::Migrate(arguments) => output::run(migrate::run(*arguments)),
        Command::Ready(arguments) => output::run(ready::run(*arguments)),
        Command::Probe(arguments) => output::run(probe::run(*arguments)),
        Command::Load(arguments) => output::run(load::run(*arguments)),
        Command::NewEpoch(arguments) => output::run(new_epoch::run(*arguments)),
    }
}
