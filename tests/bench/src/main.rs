//! The instrument behind `make bench`: a gateway beside a bare epoll loop that writes the same bytes, and chat
//! rooms end to end beside bare writes to the same database.

mod accounts;
mod audience;
mod channel_log;
mod connection;
mod fan_out;
mod floor;
mod gateway;
mod idle;
mod intake;
mod message;
mod metrics;
mod placement;
mod process;
mod publisher;
mod quartiles;
mod report;
mod rooms;
mod run;
mod server;
mod sockets;
mod stand_in;
mod websocket;
mod window;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures Carillon against bare floors on the same machine, in the same run.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure a gateway beside the bare loop, and print a table of ratios.
    Run(run::Arguments),
    /// Measure chat rooms end to end beside bare writes, and print a table.
    Rooms(rooms::Arguments),
    /// The bare loop itself, which `run` starts.
    Floor(floor::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Run(arguments) => run::run(arguments),
        Command::Rooms(arguments) => rooms::run(arguments),
        Command::Floor(arguments) => floor::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
