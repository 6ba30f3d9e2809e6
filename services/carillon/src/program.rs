//! One file for every program: what is called by the name of a service is that service. So an image holds what they all have in
//! common once, and a link for each.

use std::{env, ffi::OsStr, path::Path, process::ExitCode};

use carillon_contract::{Program, ServiceName};

/// The program by whose name this one was called, if it was.
pub(crate) fn called() -> Option<Program> {
    named(&env::args_os().next()?)
}

/// Runs it, as its own binary would.
pub(crate) fn run(program: Program) -> ExitCode {
    let name = program.as_str();
    match program {
        Program::Gateway => carillon_service::main(name, carillon_gateway::run),
        Program::Service(ServiceName::Auth) => carillon_service::main(name, carillon_auth::run),
        Program::Service(ServiceName::Notification) => {
            carillon_service::main(name, carillon_notification::run)
        }
        Program::Service(ServiceName::Chat) => carillon_service::main(name, carillon_chat::run),
        Program::Service(ServiceName::TicketPresence) => {
            carillon_service::main(name, carillon_ticket_presence::run)
        }
        Program::Service(ServiceName::Metrics) => carillon_service::main(name, carillon_metrics::run),
    }
}

fn named(command: &OsStr) -> Option<Program> {
    Program::named(Path::new(command).file_name()?.to_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_the_service_that_it_is_named_after() {
        let named = |command: &str| named(command.as_ref()).map(Program::as_str);
        assert_eq!(named("/usr/local/bin/ticket-presence"), Some("ticket-presence"));
        assert_eq!(named("gateway"), Some("gateway"));
        assert_eq!((named("/usr/local/bin/carillon"), named("")), (None, None));
    }
}
