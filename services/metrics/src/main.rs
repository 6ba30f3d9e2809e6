//! The metrics service as a process of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    carillon_service::main("metrics", carillon_metrics::run)
}
