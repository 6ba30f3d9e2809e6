//! What fails, and comes back, is told at once.

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Options};
use serde_json::{Value, json};

use super::watcher::{Watcher, replicas};
use crate::{checks::has, suite::Suite};

/// The services that have a database.
const DATABASES: [&str; 5] = ["auth", "notification", "chat", "ticket-presence", "metrics"];

pub(super) fn register(suite: &mut Suite) {
    suite.own_cluster("s0_04_a_replica_that_goes_is_told_of", Options::default, a_replica_goes);
    suite.own_cluster("s0_04_an_outage_is_told_of", Options::default, an_outage);
}

/// S0-04: one that is killed is lost, and the system the worse for it until another comes in its place; one that stops,
/// stops.
async fn a_replica_goes(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let [gateway, _] = deployment.gateways();
    let mut watcher = Watcher::enter(deployment, gateway).await?;
    for (process, service) in [("chat-1", "chat"), ("gateway-2", "gateway")] {
        watcher.recovers().await?;
        let replica = watcher.replica_of(deployment, process)?;
        deployment.kill(process)?;
        let frame = watcher.is_told("it is lost", |change| became(change, &replica, "lost")).await?;
        has(&frame, &json!({"status": "degraded"}))?;
        let shown = frame["services"].as_array().into_iter().flatten();
        let shown = shown.clone().find(|shown| shown["service"] == service).context("the service")?;
        has(shown, &json!({"status": "degraded", "ready": 1, "missing": 1}))?;
        is_a_reason(&frame, "replica_lost", service)?;
        deployment.start(process).await?;
        watcher.is_told("another is there", |change| became(change, &replica, "replaced")).await?;
    }
    watcher.recovers().await?;
    let replica = watcher.replica_of(deployment, "chat-2")?;
    deployment.stop("chat-2").await?;
    let frame = watcher.is_told("it has stopped", |change| became(change, &replica, "stopped")).await?;
    ensure!(replicas(&frame, "chat").all(|shown| shown["state"] == "ready"), "{frame}");
    deployment.start("chat-2").await?;
    let ready = |change: &Value| {
        change["kind"] == "replica" && change["service"] == "chat" && change["to"] == "ready"
    };
    watcher.is_told("it is there again", ready).await?;
    watcher.close().await
}

/// S0-04: Postgres is stopped, then NATS, each under every service at once.
async fn an_outage(cluster: &Cluster) -> anyhow::Result<()> {
    let deployment = cluster.deployment();
    let [first, second] = deployment.gateways();
    let mut watcher = Watcher::enter(deployment, first).await?;
    watcher.recovers().await?;
    deployment.stop("postgres").await?;
    let away = |change: &Value, service: &str| of_database(change, service, "unreachable");
    let frame = told_of_all(&mut watcher, "they are away", away).await?;
    for service in DATABASES {
        is_a_reason(&frame, "database_unreachable", service)?;
    }
    // Nobody can do anything now, and whoever comes is told so all the same.
    let down =
        |frame: &Value| DATABASES.iter().all(|service| is_a_reason(frame, "service_down", service).is_ok());
    let frame = watcher.next_where("all are down", down).await?;
    has(&frame, &json!({"status": "unhealthy"}))?;
    let mut newcomer = watcher.another(second).await?;
    let frame = newcomer.next_where("a snapshot", |frame| frame["cause"] == "snapshot").await?;
    has(&frame, &json!({"status": "unhealthy"}))?;
    newcomer.close().await?;
    deployment.start("postgres").await?;
    let back = |change: &Value, service: &str| of_database(change, service, "reachable");
    told_of_all(&mut watcher, "they are back", back).await?;
    watcher.recovers().await?;
    deployment.kill("nats")?;
    deployment.start("nats").await?;
    let back = |change: &Value| change["kind"] == "nats" && change["to"] == "connected";
    let frame = watcher.is_told("the bus is back", back).await?;
    ensure!(frame["nats"]["connected"] == true, "{frame}");
    let lost = |frame: &Value| changes(frame).any(|change| change["to"] == "lost");
    ensure!(!lost(&frame), "nobody was lost: {frame}");
    let frame = watcher.recovers().await?;
    ensure!(!lost(&frame), "nobody was lost: {frame}");
    let counted = |frame: &Value| frame["nats"]["reconnections"].as_u64() >= Some(12);
    watcher.next_where("everybody's reconnection", counted).await?;
    watcher.close().await
}

/// Waits until a change of each database is told, and that not just because two seconds have passed.
async fn told_of_all(
    watcher: &mut Watcher,
    what: &str,
    is_it: impl Fn(&Value, &str) -> bool,
) -> anyhow::Result<Value> {
    let has = |frame: &Value, service: &str| changes(frame).any(|change| is_it(change, service));
    let is_told =
        |frame: &Value| frame["cause"] == "change" && DATABASES.iter().all(|service| has(frame, service));
    watcher.next_where(what, is_told).await
}

fn changes(frame: &Value) -> impl Iterator<Item = &Value> {
    frame["changes"].as_array().into_iter().flatten()
}

fn became(change: &Value, replica: &Value, state: &str) -> bool {
    change["kind"] == "replica" && change["replica"] == *replica && change["to"] == state
}

fn of_database(change: &Value, service: &str, state: &str) -> bool {
    change["kind"] == "database" && change["service"] == service && change["to"] == state
}

fn is_a_reason(frame: &Value, code: &str, service: &str) -> anyhow::Result<()> {
    let mut reasons = frame["reasons"].as_array().into_iter().flatten();
    let is_one = reasons.any(|reason| reason["code"] == code && reason["service"] == service);
    ensure!(is_one, "{service} has no {code}: {frame}");
    Ok(())
}
