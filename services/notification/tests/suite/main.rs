//! The notification service through its public door, the bus: every test runs against SQLite and a
//! real Postgres.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod broadcasts;
mod concurrency;
mod frames;
mod idempotency;
mod inbox;
mod notices;
mod org_events;
mod outage;
mod retention;
mod sending;
mod sessions;
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
        sessions: BOTH {
            each_dialect_has_its_greeting,
            an_anonymous_client_hears_what_everyone_hears,
            heads_are_told_in_the_endpoints_order,
            only_the_user_itself_hears_its_notifications,
            members_and_admins_hear_an_organisation,
        }
        frames: BOTH {
            marking_one_reaches_every_connection,
            marking_all_up_to_one_leaves_the_rest,
            a_repeated_frame_is_handled_once,
            a_client_of_document_3_marks_by_its_own_id,
            whatever_else_comes_is_answered_with_an_error,
        }
        sending: BOTH {
            a_notification_is_stored_published_and_answered,
            without_a_recipient_it_goes_to_everyone,
            bad_requests_get_the_documents_body,
            who_may_not_send_is_told,
            several_users_get_their_own,
            an_organisation_s_members_get_their_own,
            figures_are_kept,
        }
        idempotency: BOTH {
            the_same_key_is_answered_the_same,
            a_request_asked_again_is_one_request,
            the_same_key_at_once_is_one_notification,
            a_key_stands_for_one_body,
            keys_of_different_callers_are_different,
            a_request_to_many_is_completed_and_not_repeated,
            an_organisation_that_was_served_is_not_served_again,
        }
        inbox: BOTH {
            an_inbox_is_read_page_by_page,
            a_status_chooses,
            reading_removes_from_the_unread,
            up_to_leaves_what_came_later,
            a_removed_notification_is_gone,
            only_users_have_one,
            an_inbox_outlives_the_process,
        }
        broadcasts: BOTH {
            a_broadcast_is_copied_when_the_inbox_is_read,
            a_broadcast_is_copied_before_what_comes_after_it,
            a_broadcast_is_marked_and_removed_by_its_id,
            the_newest_hundred_are_copied,
            an_unused_inbox_is_left_alone,
        }
        org_events: BOTH {
            an_event_is_published_with_every_field,
            bad_events_are_refused,
            an_event_is_published_once,
            another_service_publishes,
        }
        notices: BOTH {
            a_notice_reaches_each_of_its_users_once,
            notices_arrive_like_sent_notifications,
            members_arrive_as_document_3_has_them,
            members_take_nothing_s_place,
            one_that_is_malformed_keeps_no_other_back,
            a_hundred_notices_twice_at_once_are_delivered_once,
        }
        concurrency: BOTH {
            a_hundred_at_once_get_a_hundred_ids,
            a_new_arrival_races_read_all,
            overlapping_audiences_at_once,
        }
        concurrency: POSTGRES { two_replicas_write_to_one_inbox }
        retention: BOTH {
            an_inbox_that_grows_too_long_loses_its_oldest,
            what_is_too_old_goes,
        }
        outage: BOTH { without_auth_it_says_when_to_come_back }
        outage: POSTGRES { without_the_database_it_says_when_to_come_back }
        notices: POSTGRES { two_replicas_deliver_a_notice_once }
    }
}
