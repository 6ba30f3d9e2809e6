//! The metrics service through its public door, the bus, on both engines.

mod connections;
mod figures;
mod folding;
mod gateway;
mod world;

use std::{process::ExitCode, sync::Arc};

use carillon_testkit::{service::Engines, trials};
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let engines = Arc::new(Engines::default());
    let trials = trials! { &engines,
        figures: BOTH {
            gateways_add_up,
            figures_survive_a_restart_and_count_once,
            the_order_of_reports_does_not_matter,
            a_silent_gateway_is_gone_and_what_it_counted_stays,
            nonsense_on_the_bus_changes_nothing,
        }
        figures: POSTGRES {
            replicas_that_hear_the_same_count_it_once,
            a_new_replica_is_complete,
        }
        folding: BOTH {
            what_is_folded_counts_as_before,
            what_is_said_after_that_is_not_added,
        }
        folding: POSTGRES { replicas_fold_once }
        connections: BOTH {
            gateways_are_asked_together_and_pages_follow_each_other,
            who_does_not_answer_is_named,
            what_makes_no_sense_is_refused,
            a_connection_is_ended_by_its_gateway,
        }
    };
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
