//! `docs/metrics.md` lists every metric of every process, as the processes themselves register them, and each keeps
//! the rules by which metrics are named. `make docs` writes the page anew.

mod page;
mod processes;

use std::{env, fs, path::PathBuf, process::ExitCode, sync::Mutex};

use carillon_instruments::violations;

use processes::{Process, every_process};

/// If this is set, the page is written rather than compared.
const WRITE: &str = "CARILLON_WRITE_DOCS";

/// What a process tells of itself under names that every program has.
const OF_EVERY_PROGRAM: &str = "process_";

#[test]
fn the_page_lists_every_metric_and_each_keeps_the_rules() {
    let processes = started();
    let instruments = processes.iter().flat_map(|process| &process.instruments);
    let ours = instruments.filter(|instrument| !instrument.name.starts_with(OF_EVERY_PROGRAM));
    let broken: Vec<String> = ours.flat_map(violations).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = page::page(&processes);
    if env::var_os(WRITE).is_some() {
        fs::write(&path, page).expect("to write the page");
        return;
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differing =
        page.lines().zip(written.lines().chain(["(its end)"])).find(|(line, there)| line != there);
    assert!(page == written, "docs/metrics.md is not what `make docs` writes, from here on: {differing:#?}");
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
