//! The ticket-presence service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    carillon_service::main("ticket-presence", carillon_ticket_presence::run)
}
