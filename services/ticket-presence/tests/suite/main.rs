//! The ticket-presence service through its public door, the bus: every test runs against SQLite and a
//! real Postgres.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod desk;
mod notices;
mod sessions;
mod tickets;
mod world;

use std::{process::ExitCode, sync::Arc};

use carillon_testkit::service::Engines;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let engines = Arc::new(Engines::default());
    let trials = trials(&engines);
    // The server ends with `engines`, before this process does.
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(engines: &Arc<Engines>) -> Vec<Trial> {
    carillon_testkit::trials! { engines,
        tickets: BOTH {
            a_ticket_is_created_as_the_document_has_it,
        }
        sessions: BOTH {
            a_member_is_greeted,
            who_may_not_listen_is_turned_away,
            nothing_is_said_here,
            without_auth_it_says_to_come_back,
        }
        notices: BOTH { the_new_assignee_is_told }
    }
}
