//! The chat service through its public door, the bus: every test runs against SQLite and a real
//! Postgres.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod access;
mod attachments;
mod carrying;
mod collaboration;
mod conversation_changes;
mod conversation_crowd;
mod conversation_roster;
mod conversation_routes;
mod conversations;
mod counters;
mod documents;
mod rooms;
mod talk;
mod typing;
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
        rooms: BOTH {
            a_room_comes_into_being_when_someone_enters,
            a_message_is_heard_with_its_sender_s_name,
            what_is_no_message_is_answered_as_in_the_document,
            a_repeated_message_is_one_message,
            messages_are_read_again_page_by_page,
            a_back_end_says_something,
            names_never_reach_another_room,
        }
        attachments: BOTH {
            an_attachment_is_announced_uploaded_and_had_back,
            what_no_message_carries_is_its_owner_s_alone,
            what_may_not_be_attached_is_refused,
            a_user_has_only_so_many_that_wait,
            what_no_message_carries_is_removed,
            without_a_store_there_are_no_attachments,
        }
        carrying: BOTH {
            participants_have_what_a_message_carries,
            a_retry_is_the_same_message,
            what_may_not_be_carried_is_refused,
            what_a_deleted_message_carried_is_gone,
            what_a_message_carries_stays,
        }
        carrying: POSTGRES { of_many_messages_at_once_one_carries }
        counters: BOTH {
            the_first_frame_carries_the_value,
            an_update_reaches_everyone_with_the_new_total,
            what_is_no_update_is_refused,
            a_repeated_frame_is_one_update,
            coming_and_going_changes_the_count,
            a_back_end_changes_a_counter,
            a_hundred_clients_at_once_lose_no_update,
        }
        access: BOTH {
            without_rules_rooms_are_for_everyone,
            the_longest_prefix_decides,
            members_enter_for_as_long_as_they_are_members,
            without_auth_nobody_is_a_member,
            rules_are_made_and_removed_over_http,
            what_is_no_rule_is_refused,
            a_change_clears_the_rooms_that_it_is_about,
            documents_are_cleared_too,
            history_is_for_those_who_may_enter,
            whoever_is_counted_in_again_has_the_change_told,
            nobody_slips_in_while_rules_change,
        }
        access: POSTGRES {
            a_change_takes_effect_on_every_replica,
            nobody_slips_in_beside_another_replica,
        }
        collaboration: BOTH {
            a_frame_reaches_the_others_as_it_was_written,
            who_is_there_is_visible,
            what_can_t_be_passed_on_is_refused,
            a_repeated_frame_is_passed_on_once,
            frames_of_many_keep_each_sender_s_order,
        }
        collaboration: POSTGRES { two_replicas_keep_each_sender_s_order }
        conversations: BOTH {
            only_participants_enter,
            a_newcomer_is_told_what_there_is,
            a_message_is_heard_as_in_the_document,
            a_repeated_message_is_one_message,
            what_is_wrong_is_refused_and_not_stored,
            who_is_online_is_told_once_for_each_user,
        }
        conversation_changes: BOTH {
            reading_only_moves_forward,
            reactions_are_a_set,
            only_the_author_edits,
            a_deleted_message_leaves_a_tombstone,
            a_repeated_frame_is_one_change,
        }
        conversation_routes: BOTH {
            a_conversation_is_created_once,
            a_retry_at_the_same_time_is_the_same_conversation,
            conversations_are_listed_by_activity,
            messages_are_read_page_by_page,
            what_is_not_mine_is_not_found,
            a_search_finds_what_is_mine,
            a_back_end_sends,
        }
        conversation_roster: BOTH {
            names_and_participants_change,
            one_who_is_removed_is_out,
            anyone_leaves,
            participants_who_are_away_are_notified,
        }
        typing: BOTH {
            it_is_told_to_the_others_and_not_stored,
            it_is_over_when_the_message_is_sent_or_the_typist_goes,
            it_is_over_by_itself,
        }
        typing: POSTGRES {
            replicas_agree_on_who_is_typing,
            it_is_over_when_the_replica_that_heard_it_has_died,
        }
        conversation_changes: POSTGRES { changes_at_once_lose_nothing }
        conversation_crowd: POSTGRES { many_senders_have_one_order }
        counters: POSTGRES { two_replicas_lose_no_update }
        documents: BOTH {
            edits_at_once_converge_and_stay,
            a_client_that_was_away_brings_what_is_lacking,
            a_repeated_update_is_stored_once,
            compaction_keeps_the_text,
            a_large_document_keeps_its_pieces_small,
            awareness_reaches_everyone,
            updates_may_arrive_in_any_order,
            bytes_that_make_no_sense_close_the_connection,
            what_is_too_large_is_refused_and_not_stored,
        }
        rooms: POSTGRES { many_at_once_have_one_order }
    }
}
