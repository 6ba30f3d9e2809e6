//! The units of `deploy/systemd` (document 1): systemd accepts them, and what each of them starts does, in its
//! environment, what systemd is told of it.

mod process;
mod unit;

use std::{fs, path::Path, process::Command};

use anyhow::{Context, ensure};
use carillon_testkit::{Durability, Nats, Postgres, program};
use tempfile::TempDir;

use crate::suite::Suite;
use process::Process;
use unit::{Unit, directory, files};

/// Units of a cluster, in the order in which they are started: a gateway is ready when auth is.
const CLUSTER: [&str; 6] = [
    "carillon-auth@.service",
    "carillon-notification@.service",
    "carillon-chat@.service",
    "carillon-ticket-presence@.service",
    "carillon-metrics@.service",
    "carillon-gateway@.service",
];

const ALONE: &str = "carillon-up.service";

/// The most that systemd's rating of what a unit could do may be, of 10.
const EXPOSURE: f64 = 2.0;

/// How long a gateway takes to stop at most: its drain, the last goodbyes, and requests that are under way.
const LONGEST_STOP: u32 = 10 + 7 + 5;

pub(crate) fn register(suite: &mut Suite) {
    suite.alone("s1_12_systemd_accepts_the_units", verified);
    suite.alone("s1_12_what_the_units_start_tells_systemd", started);
}

/// S1-12
async fn verified() -> anyhow::Result<()> {
    let mut all = files(".service")?;
    all.sort();
    let mut known: Vec<&str> = CLUSTER.into_iter().chain([ALONE]).collect();
    known.sort_unstable();
    ensure!(all == known, "there are {all:?}");
    let copy = TempDir::new()?;
    let names: Vec<String> = installed(copy.path())?;
    for name in &names {
        let said = analyze(copy.path(), &["verify", name])?;
        ensure!(said.is_empty(), "{name}: {said}");
    }
    for name in names.iter().filter(|name| name.ends_with(".service")) {
        let said = analyze(copy.path(), &["security", "--offline=true", name])?;
        let (_, rating) = said.rsplit_once(": ").with_context(|| said.clone())?;
        let rating: f64 = rating.split(' ').next().unwrap_or_default().parse().context(said.clone())?;
        ensure!(rating <= EXPOSURE, "{name} is exposed: {said}");
    }
    Ok(())
}

/// Copies the units, with the built binaries' places in them, and templates as their first instance; their paths.
fn installed(target: &Path) -> anyhow::Result<Vec<String>> {
    let common = "carillon-.service.d";
    fs::create_dir(target.join(common))?;
    fs::copy(directory().join(common).join("carillon.conf"), target.join(common).join("carillon.conf"))?;
    let mut names = Vec::new();
    for file in CLUSTER.into_iter().chain([ALONE, "carillon.target"]) {
        let mut text = fs::read_to_string(directory().join(file))?;
        if let Some(name) = Unit::read(file)?.program() {
            let built = program(&name)?;
            let built = built.get_args().last().context("no program")?.to_string_lossy().into_owned();
            text = text.replace(&format!("/usr/local/bin/{name}"), &built);
        }
        let name = file.replace("@.", "@1.");
        fs::write(target.join(&name), &text)?;
        names.push(target.join(&name).display().to_string());
    }
    Ok(names)
}

fn analyze(units: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("systemd-analyze");
    // Its own units, and then the system's.
    command.args(arguments).env("SYSTEMD_UNIT_PATH", format!("{}:", units.display()));
    let output = command.output().context("systemd-analyze (`make setup-tests`)")?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    ensure!(output.status.success(), "systemd-analyze {arguments:?}: {said}");
    Ok(said)
}

/// Each says when it is ready, that it lives, and that it stops, and ends well then, sooner than it would be killed.
async fn started() -> anyhow::Result<()> {
    let (nats, postgres) = tokio::try_join!(Nats::start(), Postgres::start(Durability::Process))?;
    let state = TempDir::new()?;
    let configured = [
        ("CARILLON_NATS_URL", nats.url()),
        ("CARILLON_DATABASE_URL", postgres.url()),
        ("CARILLON_BLOB_STORE", state.path().join("blobs").display().to_string()),
        ("CARILLON_BLOB_SECRET", "a-secret-of-the-tests-with-which-addresses-of-files-are-signed".to_owned()),
    ];
    let mut running = Vec::new();
    for file in CLUSTER {
        let unit = Unit::read(file)?;
        ensure!(unit.seconds("TimeoutStopSec")? > LONGEST_STOP, "{file} is killed before it has stopped");
        running
            .push(Process::start(&unit, state.path(), &configured).await.with_context(|| file.to_owned())?);
    }
    while let Some(process) = running.pop() {
        process.stop().await?;
    }
    let alone = Process::start(&Unit::read(ALONE)?, state.path(), &[]).await.context(ALONE)?;
    ensure!(state.path().join("carillon/auth.db").exists(), "its data is elsewhere");
    alone.stop().await
}
