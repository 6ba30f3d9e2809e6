//! The auth service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    carillon_service::main("auth", carillon_auth::run)
}
