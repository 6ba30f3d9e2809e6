//! The gateway as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    carillon_service::main("gateway", carillon_gateway::run)
}
