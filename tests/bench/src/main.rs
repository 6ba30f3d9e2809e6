//! The instrument behind `make bench`: a gateway beside a bare epoll loop that writes the same bytes and beside
//! its peers, and Carillon end to end beside bare writes to the same database.

mod accounts;
mod client;
mod fan_out;
mod hops;
mod idle;
mod instructions;
mod instrumentation;
mod machine;
mod metrics;
mod peers;
mod placement;
mod probe;
mod report;
mod rooms;
mod servers;
mod slow;
mod storm;
mod watchdog;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use servers::floor;
use watchdog::Watchdog;

/// Measures Carillon against bare floors and peers on the same machine, in the same run.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Minutes after which a measurement that is not done is given up.
    #[arg(long, global = true, default_value_t = 20)]
    patience: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One channel with many connections: a gateway beside the bare loop.
    FanOut(fan_out::Arguments),
    /// Idle connections: memory and handshakes, beside the bare loop.
    Idle(idle::Arguments),
    /// Thousands of clients that come back and recover at once, and what becomes of an undisturbed channel.
    Storm(storm::Arguments),
    /// A slow client among fast ones, and one very large channel, and what becomes of an undisturbed one.
    Slow(slow::Arguments),
    /// From HTTP through gateway, service, database, bus and gateway to many clients.
    Hops(hops::Arguments),
    /// One channel: a gateway beside the bare loop, node's ws, Socket.IO, and Django Channels with Redis.
    Peers(peers::Arguments),
    /// One channel: a gateway that counts and times its deliveries beside one that doesn't.
    Instrumentation(instrumentation::Arguments),
    /// Chat rooms end to end beside bare writes.
    Rooms(rooms::Arguments),
    /// The bare loop itself, which the others start.
    Floor(floor::Arguments),
}

fn main() -> ExitCode {
    let Arguments { command, patience } = Arguments::parse();
    let _watchdog = Watchdog::start(Duration::from_secs(60 * patience));
    let outcome = match command {
        Command::FanOut(arguments) => fan_out::run(arguments),
        Command::Idle(arguments) => idle::run(arguments),
        Command::Storm(arguments) => storm::run(arguments),
        Command::Slow(arguments) => slow::run(arguments),
        Command::Hops(arguments) => hops::run(arguments),
        Command::Peers(arguments) => peers::run(arguments),
        Command::Instrumentation(arguments) => instrumentation::run(arguments),
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
