//! `carillon up`, and the operator's commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    carillon::main()
}
