//! `carillon load`.

use anyhow::{Context, ensure};
use carillon_testkit::{Cluster, Deployment, JWT_SECRET, Options};
use serde_json::{Value, json};
use tokio::time::{Duration, sleep, timeout};

use super::invocation::Invocation;
use crate::{
    checks::has,
    suite::{Suite, both},
};

/// How long a load may take to get going.
const FLOWING: Duration = Duration::from_secs(30);

pub(super) fn register(suite: &mut Suite) {
    both!(suite, s0_13_load_counts_every_delivery, s0_13_load_tells_what_was_refused);
    suite.own_cluster("s0_13_load_recovers_from_a_killed_gateway", Options::default, a_gateway_is_killed);
    suite.own_cluster("s0_13_load_reports_what_is_lost", Options::default, a_gateway_stays_away);
}

fn load(url: &str, arguments: &[&str]) -> Invocation {
    Invocation::of(&["load", "--json", "--url", url]).with(arguments)
}

/// S0-13: at both endpoints, by the clock and by answers, everything that was accepted reaches everybody, in order.
async fn s0_13_load_counts_every_delivery(deployment: &Deployment) -> anyhow::Result<()> {
    let url = &deployment.gateways()[0].http;
    for (endpoint, pace) in [("chat", ["--rate", "60"]), ("carillon.v1", ["--in-flight", "2"])] {
        let arguments = [
            "--endpoint",
            endpoint,
            "--connections",
            "30",
            "--rooms",
            "3",
            "--senders",
            "2",
            "--duration",
            "2s",
        ];
        let invocation = load(url, &arguments).with(&pace).variable("CARILLON_JWT_SECRET", JWT_SECRET);
        let report = invocation.exits(0).await?.json()?;
        let expected = json!({
            "ok": true,
            "connections": {"wanted": 30, "opened": 30, "reconnects": 0, "away": 0},
            "messages": {"refused": 0, "unanswered": 0, "repeated": 0},
            "deliveries": {"lost": 0, "out_of_order": 0, "duplicates": 0},
            "closes": {},
        });
        has(&report, &expected)?;
        let accepted = report["messages"]["accepted"].as_u64().unwrap_or(0);
        ensure!(accepted > 20, "{report}");
        // Each room has ten connections, and each message one room.
        let deliveries = &report["deliveries"];
        ensure!(
            deliveries["received"] == accepted * 10 && deliveries["expected"] == accepted * 10,
            "{report}"
        );
        let latency = |name: &str| report["latency"][name].as_f64().unwrap_or(0.0);
        ensure!(latency("p50_ms") > 0.0 && latency("p50_ms") <= latency("max_ms"), "{report}");
    }
    Ok(())
}

/// S0-13: what the deployment doesn't take is told, and a failure.
async fn s0_13_load_tells_what_was_refused(deployment: &Deployment) -> anyhow::Result<()> {
    let url = &deployment.gateways()[0].http;
    let nobody = load("http://127.0.0.1:1", &["--connections", "2", "--duration", "1s", "--drain", "1s"]);
    // Those that can't connect are waited for, which SIGINT ends.
    let running = nobody.start()?;
    sleep(Duration::from_secs(1)).await;
    let code = running.interrupt().await?;
    ensure!(code == 1, "{code}");
    load(url, &["--connections", "0"]).exits(2).await?;
    load(url, &["--rate", "nan"]).exits(2).await?;
    load(url, &["--rate", "1", "--in-flight", "1"]).exits(2).await.map(drop)
}

/// Runs a load at the first gateway, and kills that once messages flow.
async fn killed(cluster: &Cluster, back: bool) -> anyhow::Result<(i32, Value)> {
    let deployment = cluster.deployment();
    let [first, _] = deployment.gateways();
    let arguments =
        ["--connections", "20", "--rooms", "2", "--rate", "40", "--duration", "6s", "--drain", "20s"];
    let invocation = load(&first.http, &arguments).variable("CARILLON_JWT_SECRET", JWT_SECRET);
    let load = tokio::spawn(invocation.run());
    flows(&first.operations).await?;
    deployment.kill(&first.name)?;
    if back {
        deployment.start(&first.name).await?;
    }
    let ended = load.await??;
    Ok((ended.code, ended.json()?))
}

/// Waits until a gateway has said a good deal to its clients.
async fn flows(operations: &str) -> anyhow::Result<()> {
    let url = format!("{operations}/metrics");
    let name = "carillon_gateway_delivery_duration_seconds_count ";
    let flowing = async {
        loop {
            let metrics = reqwest::get(&url).await?.text().await?;
            let count = metrics.lines().find_map(|line| line.strip_prefix(name));
            if count.context("no such metric")?.parse::<f64>()? > 60.0 {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(FLOWING, flowing).await.context("no messages flow")?
}

/// S0-13: its clients come back, and everything reaches them all the same.
async fn a_gateway_is_killed(cluster: &Cluster) -> anyhow::Result<()> {
    let (code, report) = killed(cluster, true).await?;
    ensure!(code == 0, "{report}");
    has(&report, &json!({"ok": true, "deliveries": {"lost": 0, "out_of_order": 0, "duplicates": 0}}))?;
    ensure!(report["connections"]["reconnects"].as_u64() >= Some(20), "{report}");
    ensure!(report["closes"]["1006"].as_u64() == Some(20), "{report}");
    Ok(())
}

/// S0-13: who doesn't come back is told, and a failure.
async fn a_gateway_stays_away(cluster: &Cluster) -> anyhow::Result<()> {
    let (code, report) = killed(cluster, false).await?;
    ensure!(code == 1, "{report}");
    has(&report, &json!({"ok": false, "connections": {"away": 20}}))?;
    ensure!(report["connections"]["failed_handshakes"].as_u64() > Some(0), "{report}");
    Ok(())
}
