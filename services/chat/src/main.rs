//! The chat service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    carillon_service::main("chat", carillon_chat::run)
}
