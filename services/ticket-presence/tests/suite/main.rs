//! The ticket-presence service through its public door, the bus: every test runs against SQLite and a
//! real Postgres.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod attendance;
mod desk;
mod notices;
mod presence;
mod sessions;
mod tickets;
mod typing;
mod viewing;
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
        presence: BOTH {
            a_newcomer_is_told_who_is_there,
            two_tabs_are_one_user,
            a_tab_that_vanishes_is_waited_for,
            whoever_is_entered_again_is_back_at_its_ticket,
            whoever_is_turned_away_was_not_there,
            who_is_there_is_listed_page_by_page,
            a_crowd_is_told_as_it_is,
        }
        viewing: BOTH {
            a_tab_views_one_ticket_at_a_time,
            two_tabs_view_two_tickets,
            what_comes_again_or_late_changes_nothing,
            a_ticket_of_another_project_is_refused,
            tickets_kept_elsewhere_have_any_id,
            what_makes_no_sense_is_refused,
        }
        typing: BOTH {
            it_is_told_to_the_others_and_not_stored,
            it_is_over_when_the_tab_closes,
            it_is_over_by_itself,
        }
        typing: POSTGRES { every_replica_knows_of_it }
        notices: BOTH { the_new_assignee_is_told }
    }
}
