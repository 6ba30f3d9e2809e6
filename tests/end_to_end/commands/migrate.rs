//! `carillon migrate`.

use anyhow::ensure;
use carillon_testkit::{Durability, OneProcess, Options, Postgres};
use serde_json::Value;

use super::invocation::Invocation;
use crate::suite::Suite;

pub(super) fn register(suite: &mut Suite) {
    suite.own_process("s0_12_migrations_are_taken_before_anything_starts", Options::default, migrations);
}

fn migrate(url: &str) -> Invocation {
    Invocation::of(&["migrate", "--json", "--database-url", url])
}

/// The names of the migrations that a service's database lacked.
fn taken(report: &Value, service: &str) -> Option<usize> {
    let services = report["services"].as_array()?;
    services.iter().find(|row| row["service"] == service)?["taken"].as_array().map(Vec::len)
}

/// S0-12: databases are brought to a version before its services start, once, and whoever waits is told why it did not work.
async fn migrations(_: &OneProcess) -> anyhow::Result<()> {
    let postgres = Postgres::start(Durability::Process).await?;
    let url = postgres.url();
    let one = migrate(&url).with(&["--services", "chat"]).exits(0).await?.json()?;
    ensure!(taken(&one, "chat") > Some(0), "{one}");
    ensure!(taken(&one, "auth").is_none(), "auth was not asked for: {one}");
    let all = migrate(&url).exits(0).await?.json()?;
    ensure!(taken(&all, "chat") == Some(0), "what was taken is taken once: {all}");
    for service in ["auth", "notification", "ticket-presence", "metrics"] {
        ensure!(taken(&all, service) > Some(0), "{all}");
    }
    let check =
        Invocation::of(&["check", "--json", "--timeout", "10s", "--database-url", &url]).exits(0).await?;
    ensure!(!check.output.contains("not taken yet"), "{check:?}");

    postgres.kill()?;
    let away = migrate(&url).with(&["--timeout", "1s", "--services", "auth"]).exits(1).await?.json()?;
    ensure!(away["ok"] == false && away["services"][0]["error"].is_string(), "{away}");
    let unknown = migrate(&url).with(&["--services", "chart"]).exits(2).await?;
    ensure!(unknown.complaints.contains("ticket-presence"), "{unknown:?}");
    Ok(())
}
