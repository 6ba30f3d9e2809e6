//! Presence by its own door: every test runs against SQLite and a real Postgres.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod comings;
mod crowd;
mod gateway;
mod leases;
mod model;
mod outage;
mod positions;
mod property;
mod random;
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
        comings: BOTH {
            the_first_and_the_last_connection_are_announced,
            an_announcement_is_published_when_the_call_returns,
            repeated_messages_change_nothing,
            a_late_entering_makes_no_ghost,
            a_client_that_returns_has_never_left,
            a_client_that_does_not_return_leaves_in_the_end,
            a_member_is_ended_within_a_transaction,
            questions_are_answered_of_one_state,
        }
        leases: BOTH {
            a_renewed_lease_keeps_its_connections,
            a_lapsed_lease_takes_its_connections,
            a_late_entering_lapses_too,
            connections_that_have_left_are_not_the_lease_s,
            a_big_gateway_dies,
            a_process_that_starts_spares_leases,
            what_is_no_longer_needed_is_forgotten,
        }
        positions: BOTH {
            a_connection_is_at_one_topic_at_a_time,
            two_tabs_are_one_member_there_too,
            what_comes_again_or_late_changes_nothing,
            only_who_is_in_the_scope_is_there,
            a_position_ends_with_its_connection,
            whoever_is_entered_again_is_back,
            a_member_who_is_ended_is_nowhere,
            nothing_is_left_behind,
            pages_and_positions_are_read,
            a_crowd_that_moves_shares_transactions,
        }
        crowd: BOTH { it_shares_transactions }
        outage: POSTGRES {
            leases_are_spared_after_an_outage,
            leases_are_spared_while_the_bus_is_away,
        }
        property: BOTH { announcements_agree_with_a_model }
    }
}
