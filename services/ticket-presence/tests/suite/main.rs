//! The ticket-presence service through its public door, the bus: every test runs against SQLite and a
//! real Postgres.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod atomicity;
mod attendance;
mod board;
mod changes;
mod comments;
mod concurrency;
mod desk;
mod events;
mod hostile;
mod idempotency;
mod lists;
mod notices;
mod outage;
mod presence;
mod projects;
mod sessions;
mod statuses;
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
            what_is_not_said_has_a_default,
            what_is_wrong_is_named,
            only_members_get_in,
            admins_who_are_no_members_may,
            what_is_not_there_is_not_found,
            its_reporter_or_an_admin_deletes_it,
        }
        projects: BOTH { projects_are_listed_and_shown }
        changes: BOTH {
            every_field_is_told_from_and_to,
            a_change_of_nothing_tells_nothing,
            an_outdated_change_is_refused_with_the_ticket,
            the_activity_log_has_it_all,
            pages_of_long_changes_stay_small,
            figures_are_kept,
        }
        lists: BOTH {
            filters_choose,
            a_search_finds_what_was_typed,
            every_order_is_walked_page_by_page,
            pages_of_long_tickets_stay_small,
            a_list_says_what_comes_after_it,
        }
        comments: BOTH {
            a_comment_is_added_and_counted,
            its_author_edits_it,
            its_author_or_an_admin_deletes_it,
            what_is_no_comment_is_refused,
            comments_are_read_page_by_page,
            pages_of_long_comments_stay_small,
        }
        statuses: BOTH {
            a_project_begins_with_four,
            statuses_are_made_renamed_reordered_and_removed,
            what_is_in_use_stays,
            what_is_wrong_is_refused,
        }
        notices: BOTH {
            the_new_assignee_is_told,
            whoever_is_mentioned_is_told,
            comments_notify_the_reporter_and_whoever_they_mention,
            one_reason_is_enough,
            a_service_that_is_away_is_told_later,
            users_of_another_issuer_are_known_from_their_tokens,
            namesakes_are_told_alike,
            the_longest_texts_fit_a_notification,
        }
        events: BOTH {
            tickets_kept_elsewhere_are_told_of,
            a_project_has_events_of_its_own,
            whoever_is_named_is_notified,
            a_key_stands_for_one_event,
            what_is_no_event_is_refused,
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
        idempotency: BOTH {
            a_request_that_is_delivered_again_is_carried_out_once,
            a_request_with_the_same_key_is_carried_out_once,
            a_request_at_the_same_time_is_carried_out_once,
            keys_of_different_things_are_different,
            what_was_deleted_is_not_made_again,
            what_the_log_has_forgotten_is_not_made_twice,
        }
        idempotency: POSTGRES { two_replicas_carry_a_request_out_once }
        concurrency: BOTH { keys_have_no_gaps_or_doubles, a_replayed_board_is_the_board }
        concurrency: POSTGRES {
            two_replicas_give_out_each_key_once,
            two_replicas_tell_one_story,
            of_many_with_the_same_version_one_wins,
        }
        atomicity: BOTH { what_fails_half_way_leaves_nothing, one_that_fails_takes_no_other_with_it }
        outage: BOTH { without_auth_it_says_when_to_come_back }
        outage: POSTGRES { without_the_database_it_says_when_to_come_back }
        hostile: BOTH { no_body_is_too_much, no_name_is_too_odd }
    }
}
