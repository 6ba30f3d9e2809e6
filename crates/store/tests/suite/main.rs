//! The store's suite: every test runs against SQLite and a real Postgres, which it starts itself.

#![allow(clippy::expect_used, clippy::unwrap_used)]

mod append;
mod child;
mod engines;
mod fixture;
mod group_commit;
mod heads;
mod history;
mod inspection;
mod metrics;
mod migration;
mod model;
mod opening;
mod outbox;
mod postgres;
mod processes;
mod prune;
mod restart;
mod traces;

use std::{env, process::ExitCode, sync::Arc, time::Duration};

use engines::{Engines, Fresh};
use libtest_mimic::{Arguments, Trial};
use tokio::{runtime::Runtime, time::timeout};

/// No test takes this long, not even on a loaded machine.
const DEADLINE: Duration = Duration::from_secs(180);

/// For each test: one trial against each of the engines named.
macro_rules! trials {
    ($engines:expr, $($module:ident: $kinds:ident { $($test:ident),* $(,)? })*) => {{
        let mut trials = Vec::new();
        $($(
            for engine in engines::$kinds {
                let engines = Arc::clone($engines);
                let name = format!("{}::{} on {}", stringify!($module), stringify!($test), engine.as_str());
                trials.push(Trial::test(name, move || {
                    run(async move { $module::$test(engines.fresh(*engine).await).await });
                    Ok(())
                }));
            }
        )*)*
        trials
    }};
}

fn main() -> ExitCode {
    if let Ok(role) = env::var(child::ROLE) {
        run(child::run(role));
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let engines = Arc::new(Engines::default());
    let trials = trials(&engines);
    // The server ends with `engines`, before this process does.
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trials(engines: &Arc<Engines>) -> Vec<Trial> {
    trials! { engines,
        append: BOTH {
            offsets_are_numbered_from_one_in_each_channel,
            a_known_cause_yields_the_stored_event_and_takes_no_offset,
            a_cause_repeated_in_one_call_is_one_event,
            a_cause_is_known_within_its_transaction,
            what_is_rolled_back_leaves_no_gap,
            an_empty_cause_is_refused,
            more_events_than_a_statement_holds,
            the_same_cause_at_once_is_one_event,
            overlapping_batches_at_once_have_no_gaps,
        }
        history: BOTH {
            events_come_in_order_and_whole,
            a_reply_is_bounded_in_events,
            a_reply_is_bounded_in_bytes,
            a_channel_without_events_has_a_history,
            head_and_events_are_of_one_moment,
        }
        heads: BOTH {
            heads_come_in_the_order_asked_for,
            known_causes_are_those_of_their_channel,
            recently_changed_channels_are_announced,
        }
        prune: BOTH {
            what_is_too_old_goes,
            what_is_too_much_goes,
            an_aged_log_can_be_emptied_and_continued,
            pruning_and_appending_at_once,
        }
        inspection: BOTH {
            steps_are_taken_pending_changed_or_unknown, the_engine_is_described, nothing_is_made,
        }
        opening: BOTH {
            an_epoch_stays,
            an_epoch_can_be_renewed,
            two_databases_have_two_epochs,
            readers_cannot_write_on_sqlite,
            a_conflict_is_told_from_a_mistake,
            for_update_locks,
        }
        opening: POSTGRES { replicas_that_start_together_agree, each_service_has_its_schema }
        migration: BOTH {
            a_service_has_its_own_tables,
            a_changed_migration_is_refused,
            an_older_program_works_on_newer_tables,
            a_failed_migration_leaves_nothing,
        }
        outbox: BOTH {
            what_is_owed_is_delivered_in_order_and_forgotten,
            what_is_rolled_back_is_not_owed,
            what_fails_is_delivered_later_and_does_not_block,
            a_service_that_is_away_delays_no_other,
            replicas_share_the_work,
            what_a_dead_replica_claimed_is_delivered,
        }
        group_commit: BOTH {
            concurrent_writes_are_all_committed,
            concurrent_writes_share_transactions,
            a_failing_write_fails_alone,
            a_panicking_write_fails_alone,
            callers_that_leave_harm_no_one,
            writers_end_with_their_handles,
        }
        traces: BOTH {
            writes_that_share_a_transaction_are_linked,
            each_event_has_the_trace_of_its_own_write,
            a_write_that_fails_says_why_in_a_word,
            a_debt_is_delivered_in_its_trace,
        }
        model: BOTH { random_concurrent_appends_agree_with_a_model }
        metrics: BOTH { figures_are_registered_once_a_service, whether_the_database_answers_is_told }
        processes: BOTH { a_killed_writer_loses_nothing_acknowledged }
        processes: POSTGRES { two_processes_write_to_one_channel }
        restart: POSTGRES { a_restarted_server_is_used_again, a_killed_server_loses_nothing_acknowledged }
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async { timeout(DEADLINE, test).await.expect("the test takes too long") });
}
