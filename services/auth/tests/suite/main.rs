//! Auth as gateways and other services see it: each scenario on SQLite and on Postgres.

mod accounts;
mod blocks;
mod database;
mod groups;
mod keys;
mod limits;
mod logins;
mod logs;
mod memberships;
mod outbox;
mod people;
mod projects;
mod replicas;
mod revocations;
mod service_tokens;
mod world;

use std::{future::Future, process::ExitCode, sync::Arc};

use carillon_store::Engine;
use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;

use crate::database::{Databases, Fresh};

/// Every scenario, once for each engine.
macro_rules! trials {
    ($stage:expr, $($module:ident::{$($name:ident),* $(,)?}),* $(,)?) => {
        vec![$($(
            trial($stage, Engine::Sqlite, concat!(stringify!($module), "::", stringify!($name)), $module::$name),
            trial($stage, Engine::Postgres, concat!(stringify!($module), "::", stringify!($name)), $module::$name),
        )*)*]
    };
}

struct Stage {
    runtime: Runtime,
    databases: Databases,
}

fn main() -> ExitCode {
    logs::capture();
    let runtime = Runtime::new().expect("a runtime");
    let stage = Arc::new(Stage { runtime, databases: Databases::default() });
    let mut trials = trials!(
        &stage,
        accounts::{
            an_admin_creates_lists_and_deletes_users,
            a_user_that_can_not_be_is_refused_with_the_field,
            a_repeated_request_gets_the_first_answer,
            the_bootstrap_admin_is_made_once,
            where_another_issuer_owns_bare_ids_ours_have_a_prefix,
        },
        blocks::{
            a_block_is_told_listed_and_lifted,
            who_is_blocked_again_has_one_block_and_its_later_end,
            a_block_that_can_not_be_is_refused,
            blocks_are_told_a_page_at_a_time,
        },
        groups::{
            organisations_are_created_listed_and_removed,
            projects_have_keys,
            groups_that_can_not_be_are_refused,
        },
        keys::{
            a_rotation_leaves_no_login_behind,
            a_rotation_is_told,
        },
        limits::{
            a_user_with_too_many_failures_waits,
            an_address_with_too_many_failures_waits,
            a_login_clears_the_failures_of_its_user,
        },
        logins::{
            a_login_gives_tokens_that_work_until_the_logout,
            wrong_credentials_are_refused,
            what_is_malformed_is_refused,
            me_is_the_user_as_it_is_now,
            me_of_another_issuer_is_what_its_token_says,
        },
        logs::{nothing_secret_is_logged},
        memberships::{
            members_are_added_listed_and_removed,
            a_replacement_changes_what_differs,
            a_replacement_is_bounded,
            other_services_can_ask_who_is_a_member,
            members_of_a_project_see_each_other,
        },
        outbox::{an_organisation_hears_of_its_members_once_notification_is_back},
        people::{the_demo_is_made_once, the_demo_is_refused_where_others_could_log_in},
        projects::{
            a_project_tells_who_of_some_are_members,
            members_without_a_name_are_members,
            members_have_the_ids_that_others_know,
            projects_are_told_page_by_page,
            a_request_is_bounded,
        },
        replicas::{each_knows_what_the_other_did},
        revocations::{
            a_revoked_user_has_to_log_in_again,
            a_revoked_login_or_token_is_void,
            what_is_revoked_is_told_a_page_at_a_time,
        },
        service_tokens::{
            a_service_token_is_shown_once_and_can_be_revoked,
            a_service_token_that_can_not_be_is_refused,
        },
    );
    // A SQLite file belongs to one process, which opens it once.
    trials.push(trial(
        &stage,
        Engine::Postgres,
        "replicas::two_that_start_at_once_share_one_key_and_one_demo",
        replicas::two_that_start_at_once_share_one_key_and_one_demo,
    ));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial<F: Future<Output = ()> + 'static>(
    stage: &Arc<Stage>,
    engine: Engine,
    name: &str,
    scenario: fn(Fresh) -> F,
) -> Trial {
    let stage = Arc::clone(stage);
    Trial::test(format!("{engine:?}::{name}").to_lowercase(), move || {
        stage.runtime.block_on(async {
            let fresh = stage.databases.fresh(engine).await;
            scenario(fresh).await;
        });
        Ok(())
    })
}
