//! `docs/metrics.md` lists every metric of every process, as the processes themselves register them, and each keeps
//! the rules by which metrics are named.

mod page;
mod processes;

use std::{process::ExitCode, sync::Mutex};

use carillon_instruments::violations;

use crate::page::is_current;
use processes::{Process, every_process};

/// What a process tells of itself under names that every program has.
const OF_EVERY_PROGRAM: &str = "process_";

#[test]
fn the_page_lists_every_metric_and_each_keeps_the_rules() {
    let processes = started();
    let instruments = processes.iter().flat_map(|process| &process.instruments);
    let ours = instruments.filter(|instrument| !instrument.name.starts_with(OF_EVERY_PROGRAM));
    let broken: Vec<String> = ours.flat_map(violations).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    is_current("metrics.md", &page::page(&processes));
}

fn started() -> Vec<Process> {
    let processes = Mutex::new(Vec::new());
    let code = carillon_service::block_on(async {
        *processes.lock().expect("no panic") = every_process().await?;
        Ok(())
    });
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS), "a process did not start");
    processes.into_inner().expect("no panic")
}
