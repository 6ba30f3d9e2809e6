//! What breaks is told of within a minute. Each test has it mended at its end, and the alert ends then.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::watched::Watched;

/// How long an operator waits for the word, from what happens on.
const WITHIN: Duration = Duration::from_secs(60);

pub(crate) async fn a_killed_gateway_is_told_of(watched: &Watched) -> anyhow::Result<()> {
    let [_, second] = watched.cluster.deployment().gateways();
    let address = second.operations.trim_start_matches("http://").to_owned();
    let alert = r#"alertname="CarillonGatewayDown""#;
    does_not_fire(watched, alert).await?;
    watched.cluster.deployment().kill(&second.name)?;
    let told = fires(watched, alert, Instant::now()).await?;
    ensure!(told["instance"] == address.as_str() && told["severity"] == "critical", "another one: {told}");
    is_mended(watched, &second.name, alert).await
}

/// A ticket is assigned while nobody can be notified of it.
pub(crate) async fn a_stuck_outbox_is_told_of(watched: &Watched) -> anyhow::Result<()> {
    let (process, alert) =
        ("notification-1", r#"alertname="CarillonOutboxStuck", service="ticket-presence""#);
    does_not_fire(watched, alert).await?;
    watched.cluster.deployment().stop(process).await?;
    watched.traffic.assign_a_ticket().await.context("a ticket")?;
    fires(watched, alert, Instant::now()).await?;
    is_mended(watched, process, alert).await
}

/// Every service has lost it, and each is told of.
pub(crate) async fn a_failing_database_is_told_of(watched: &Watched) -> anyhow::Result<()> {
    let services = carillon_testkit::Processes::default().services;
    let alerts: Vec<String> = services
        .iter()
        .map(|service| format!("alertname=\"CarillonDatabaseFailing\", service=\"{service}\""))
        .collect();
    for alert in &alerts {
        does_not_fire(watched, alert).await?;
    }
    watched.cluster.deployment().kill("postgres")?;
    let since = Instant::now();
    for alert in &alerts {
        fires(watched, alert, since).await?;
    }
    is_mended(watched, "postgres", r#"alertname="CarillonDatabaseFailing""#).await
}

async fn does_not_fire(watched: &Watched, alert: &str) -> anyhow::Result<()> {
    ensure!(watched.prometheus.fires(alert).await?.is_none(), "{alert} fires already");
    Ok(())
}

/// Waits until it does, in time.
async fn fires(watched: &Watched, alert: &str, since: Instant) -> anyhow::Result<Value> {
    watched.prometheus.until(alert, true, WITHIN.saturating_sub(since.elapsed())).await?;
    watched.prometheus.fires(alert).await?.context("it fires no more")
}

/// Starts what was killed again, and waits until the alert has ended.
async fn is_mended(watched: &Watched, process: &str, alert: &str) -> anyhow::Result<()> {
    watched.cluster.deployment().start(process).await?;
    watched.prometheus.until(alert, false, WITHIN).await?;
    Ok(())
}
