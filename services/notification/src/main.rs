//! The notification service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    carillon_service::main("notification", carillon_notification::run)
}
