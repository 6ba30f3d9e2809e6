//! What operators are shown, by a real Prometheus that scrapes a running cluster: every query of the dashboard and of
//! the rules returns data, and what breaks is told of within a minute.
//!
//! `make test-e2e` runs them; `cargo test -p carillon-tests --test monitoring` these alone.

mod alerts;
mod files;
mod prometheus;
mod promql;
mod queries;
mod rules;
mod traffic;
mod watched;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Trial};
use tokio::runtime::Runtime;
use watched::{Shared, Watched};

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let (runtime, shared) = (Arc::new(runtime.expect("a runtime")), Arc::new(Shared::default()));
    let watched = |name: &str, test| on_the_cluster(name, &runtime, &shared, test);
    let trials = vec![
        Trial::test("promtool_accepts_the_rules_and_their_tests_pass", || Ok(files::promtool()?)),
        Trial::test("every_alert_leads_to_a_runbook_that_is_there", || Ok(files::runbooks()?)),
        Trial::test("the_dashboard_is_current", || Ok(files::dashboard_is_current()?)),
        Trial::test("every_metric_asked_for_is_one_that_there_is", || Ok(files::metrics_are_known()?)),
        watched("every_query_returns_data", |watched| Box::pin(queries::every_query_returns_data(watched))),
        watched("a_killed_gateway_is_told_of", |watched| {
            Box::pin(alerts::a_killed_gateway_is_told_of(watched))
        }),
        watched("a_stuck_outbox_is_told_of", |watched| Box::pin(alerts::a_stuck_outbox_is_told_of(watched))),
        watched("a_failing_database_is_told_of", |watched| {
            Box::pin(alerts::a_failing_database_is_told_of(watched))
        }),
    ];
    let mut arguments = Arguments::from_args();
    // They have one cluster, which each of them leaves as it was.
    arguments.test_threads = Some(1);
    let conclusion = libtest_mimic::run(&arguments, trials);
    runtime.block_on(shared.stop());
    conclusion.exit_code()
}

type Test = for<'a> fn(&'a Watched) -> watched::Outcome<'a>;

fn on_the_cluster(name: &str, runtime: &Arc<Runtime>, shared: &Arc<Shared>, test: Test) -> Trial {
    let (runtime, shared) = (runtime.clone(), shared.clone());
    Trial::test(name, move || {
        Ok(runtime.block_on(async {
            let watched = shared.watched().await?;
            let marks = watched.cluster.deployment().marks();
            let outcome = test(watched).await;
            outcome.map_err(|error| format!("{error:?}\n{}", watched.cluster.deployment().tails(&marks)))
        })?)
    })
}
